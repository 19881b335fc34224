package tunnel

import (
	"bytes"
	"errors"
	"io"
	"net/http/httputil"
	"strings"
	"testing"

	"github.com/culvert-net/culvert/api/openai"
)

// What the request reader accepts is a request in our own words: whatever was
// sent, its meaning is that of the table.
func FuzzRequest(f *testing.F) {
	f.Add([]byte(rawRequest(plainChat)))
	f.Add([]byte(addField(rawRequest(plainChat), "X-Culvert-Round: aGVsbG8_-")))
	for _, tt := range badRequests {
		if len(tt.raw) < 1000 { // minimising large ones would take all the time
			f.Add([]byte(tt.raw))
		}
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		in, err := readRequest(bytes.NewReader(raw))
		if err != nil {
			checkAgreement(t, err)
			return
		}
		if _, ok := openai.RouteOf(in.route.Path); !ok {
			t.Errorf("accepted %s", in.route.Path)
		}
		head, rest, _ := strings.Cut(string(raw), "\r\n\r\n")
		if len(head)+4 > MaxHead || strings.ContainsAny(head, "\x00\t?") {
			t.Errorf("accepted head %q", head)
		}
		for name := range in.header {
			if _, ok := requestFields[strings.ToLower(name)]; !ok {
				t.Errorf("accepted header %s", name)
			}
		}
		if in.round != "" && !isRound(in.round) {
			t.Errorf("accepted the round %q", in.round)
		}
		data, err := io.ReadAll(in.body)
		if want := rest[:min(int64(len(rest)), in.length)]; string(data) != want {
			t.Errorf("body = %q, want %q", data, want)
		}
		complete := err == nil && in.scan.finish() == nil
		if want := int64(len(rest)) == in.length; complete != want {
			t.Errorf("complete = %v with %d bytes of %d", complete, len(rest), in.length)
		}
	})
}

// checkAgreement fails if net/http read a head otherwise than the scanner: the
// check is there so that this is a refusal, but it should never strike.
func checkAgreement(t *testing.T, err error) {
	t.Helper()
	if e, ok := errors.AsType[*ProtocolError](err); ok && e.Form == FormDisagreement {
		t.Error("the scanner let through what net/http reads otherwise")
	}
}

// What the answer reader accepts ends where its bytes end, byte by byte as
// well as at once.
func FuzzAnswer(f *testing.F) {
	for _, raw := range []string{okAnswer, okError, okStream} {
		f.Add([]byte(raw))
	}
	for _, tt := range badAnswers {
		if len(tt.raw) < 1000 { // minimising large ones would take all the time
			f.Add([]byte(tt.raw))
		}
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		a, err := readAnswer(bytes.NewReader(raw))
		if err != nil {
			checkAgreement(t, err)
			return
		}
		if !passStatus(a.status) {
			t.Errorf("accepted status %d", a.status)
		}
		data, err := io.ReadAll(a.body)
		complete := err == nil && a.scan.finish() == nil

		slow, err := readAnswer(oneByte{bytes.NewReader(raw)})
		if err != nil {
			t.Fatalf("byte by byte: %v", err)
		}
		slowData, err := io.ReadAll(slow.body)
		slowComplete := err == nil && slow.scan.finish() == nil
		if complete != slowComplete || complete && !bytes.Equal(data, slowData) {
			t.Errorf("at once %q complete %v, byte by byte %q complete %v", data, complete, slowData, slowComplete)
		}
	})
}

// The chunk scanner accepts only what a lenient decoder decodes to the same
// bytes, wherever the input is split.
func FuzzChunks(f *testing.F) {
	for _, s := range []string{"0\r\n\r\n", "3\r\nabc\r\n0\r\n\r\n", "A\r\n0123456789\r\n0\r\n\r\n", "1;x\r\na\r\n", "01\r\na\r\n", "1\ra", "0\r\nT: x\r\n\r\n"} {
		f.Add([]byte(s), uint8(1))
	}
	f.Fuzz(func(t *testing.T, raw []byte, split uint8) {
		var whole, parts chunkScanner
		n, err := whole.feed(raw)
		at := min(int(split), len(raw))
		m, splitErr := parts.feed(raw[:at])
		if splitErr == nil && m == at {
			var k int
			k, splitErr = parts.feed(raw[at:])
			m += k
		}
		if n != m || (err == nil) != (splitErr == nil) || whole.ended() != parts.ended() {
			t.Fatalf("at once %d %v, split at %d: %d %v", n, err, at, m, splitErr)
		}
		if !whole.ended() {
			return
		}
		data, err := io.ReadAll(httputil.NewChunkedReader(bytes.NewReader(raw[:n])))
		if err != nil {
			t.Fatalf("accepted %q, which decodes to %v", raw[:n], err)
		}
		var again bytes.Buffer
		w := httputil.NewChunkedWriter(&again)
		_, _ = w.Write(data)
		_ = w.Close()
		again.WriteString("\r\n")
		var c chunkScanner
		if len(data) <= MaxChunk {
			if k, err := c.feed(again.Bytes()); err != nil || k != again.Len() || !c.ended() {
				t.Errorf("refused %q: %v", again.Bytes(), err)
			}
		}
	})
}

// Our own heads and chunks are accepted, whatever is in them.
func FuzzFrameChunk(f *testing.F) {
	f.Add([]byte("data: 1\n\n"))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		data = data[:min(len(data), streamBuffer)]
		buf := new(chunkBuffer)
		copy(buf[chunkHead:], data)
		raw := streamHead + string(append(frameChunk(buf, len(data)), lastChunk...))
		a, err := readAnswer(strings.NewReader(raw))
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(a.body)
		if err != nil || !bytes.Equal(got, data) || a.scan.finish() != nil {
			t.Errorf("got %q, %v, want %q", got, err, data)
		}
	})
}
