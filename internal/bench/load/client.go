package load

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/culvert-net/culvert/internal/bench/script"
	"github.com/culvert-net/culvert/internal/bench/upstream"
)

// patience bounds one answer; at least half of it is left when one begins. None
// that is right takes so long, however slow the machine.
const patience = 2 * time.Minute

// readBuffer holds several events, so that a flood is not read one by one.
const readBuffer = 64 << 10

// client is one kept connection. Owned by one goroutine.
type client struct {
	addr string
	load *Load

	conn   net.Conn
	in     *bufio.Reader
	lines  *bufio.Reader // of the body of a stream
	out    []byte
	until  time.Time // when patience with conn ends
	reused bool      // something was answered on conn
	stale  int       // connections that the server had closed unsaid
}

// answered is one answer, with its times.
type answered struct {
	err   error // of one of the kinds above; nil is right
	start time.Time
	first time.Time // its first token was read; of streams
	end   time.Time
	bytes int // of the body
}

// ask sends one request and reads the answer to its end. Tokens are reported
// as they come.
func (c *client) ask(token func(at int64)) answered {
	var random [script.NonceLength / 2]byte
	// It never fails.
	_, _ = rand.Read(random[:])
	nonce := script.NewNonce(random)
	prompt := c.load.Order.Prompt(nonce)
	c.compose(prompt)
	a := answered{start: time.Now()}
	c.roundTrip(&a, expect(c.load.Order, nonce, prompt), token)
	a.end = time.Now()
	if a.err != nil {
		c.close()
	}
	return a
}

// compose writes the request. It names its sender in every way that SDKs do, so
// that the upstream can see what of that comes through.
func (c *client) compose(prompt []byte) {
	const before = `{"model":"` + upstream.Model + `","messages":[{"role":"user","content":"`
	// So much is set aside where answers are paid for, and not what the model could give.
	after := `"}],"max_tokens":` + strconv.Itoa(c.load.Order.Counted()) + `}`
	if c.load.Stream {
		after = after[:len(after)-1] + `,"stream":true,"stream_options":{"include_usage":true}}`
	}
	b := append(c.out[:0], "POST "+upstream.ChatPath+" HTTP/1.1\r\nHost: "+c.addr+"\r\n"+
		"Content-Type: application/json\r\nAccept: application/json\r\n"+
		"Authorization: Bearer "+upstream.Mark+"\r\n"+
		"User-Agent: OpenAI/Go "+upstream.Mark+"\r\n"+
		"X-Stainless-Lang: "+upstream.Mark+"\r\n"+
		"OpenAI-Organization: "+upstream.Mark+"\r\n"+
		"Cookie: session="+upstream.Mark+"\r\n"+
		"Content-Length: "...)
	b = strconv.AppendInt(b, int64(len(before)+len(prompt)+len(after)), 10)
	b = append(b, "\r\n\r\n"+before...)
	b = append(b, prompt...)
	c.out = append(b, after...)
}

// roundTrip sends what was composed. A kept connection that turns out to be
// closed before anything was answered is made anew once, as every SDK does.
func (c *client) roundTrip(a *answered, e expected, token func(at int64)) {
	for {
		reused := c.reused
		err := c.send()
		if err != nil && reused {
			c.stale++
			c.close()
			continue
		}
		var resp *http.Response
		if err == nil {
			resp, err = http.ReadResponse(c.in, nil)
		}
		if err != nil {
			a.err = fmt.Errorf("%w: %w", errFailed, err)
			return
		}
		c.reused = true
		c.read(a, resp, e, token)
		if resp.Close {
			c.close()
		}
		return
	}
}

// send sends the request and waits for the first byte of the answer.
func (c *client) send() error {
	if c.conn == nil {
		conn, err := net.DialTimeout("tcp", c.addr, patience)
		if err != nil {
			return err
		}
		c.conn, c.in = conn, bufio.NewReaderSize(conn, readBuffer)
	}
	if now := time.Now(); c.until.Sub(now) < patience/2 {
		c.until = now.Add(patience)
		if err := c.conn.SetDeadline(c.until); err != nil {
			return err
		}
	}
	if _, err := c.conn.Write(c.out); err != nil {
		return err
	}
	_, err := c.in.Peek(1)
	return err
}

// read reads and checks the body.
func (c *client) read(a *answered, resp *http.Response, e expected, token func(at int64)) {
	defer resp.Body.Close()
	body := &counted{r: resp.Body}
	defer func() { a.bytes = body.n }()
	if resp.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(body, 512)) // what came of it, for the reader
		a.err = fmt.Errorf("%w: status %d: %s", errFailed, resp.StatusCode, bytes.TrimSpace(text))
		return
	}
	if !c.load.Stream {
		var b bytes.Buffer
		if resp.ContentLength > 0 {
			b.Grow(int(resp.ContentLength) + bytes.MinRead)
		}
		if _, err := b.ReadFrom(body); err != nil {
			a.err = cut("after %d bytes: %w", b.Len(), err)
			return
		}
		a.err = e.whole(b.Bytes())
		return
	}
	if c.lines == nil {
		c.lines = bufio.NewReaderSize(nil, readBuffer)
	}
	c.lines.Reset(body)
	a.err = events(c.lines, e, func(at int64) {
		if a.first.IsZero() {
			a.first = time.Now()
		}
		token(at)
	})
}

// events reads a stream to its end.
func events(lines *bufio.Reader, e expected, token func(at int64)) error {
	s := &stream{expected: e}
	open := false // an event that has data waits for its blank line
	for {
		line, err := lines.ReadSlice('\n')
		if err != nil {
			if errors.Is(err, io.EOF) && len(line) == 0 && !open {
				return s.end()
			}
			return cut("after %d of %d tokens: %w", s.next, e.order.Tokens, err)
		}
		line = bytes.TrimRight(line, "\r\n")
		data, ok := bytes.CutPrefix(line, []byte("data: "))
		if !ok {
			open = open && len(line) > 0 // the end of an event, or a comment
			continue
		}
		if open {
			return wrong("two events without a blank line between them, after %d tokens", s.next)
		}
		open = true
		at, err := s.event(data)
		if err != nil {
			return err
		}
		if at != 0 {
			token(at)
		}
	}
}

func (c *client) close() {
	if c.conn != nil {
		// There is nothing more to come.
		_ = c.conn.Close()
	}
	c.conn, c.in, c.until, c.reused = nil, nil, time.Time{}, false
}

// counted counts the bytes that are read.
type counted struct {
	r io.Reader
	n int
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += n
	return n, err
}
