package openai

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/culvert-net/culvert/api/backend"
	wire "github.com/culvert-net/culvert/api/openai"
)

// explain turns an error of net/http into ours: the caller's own if it gave
// up, a 504 if the server was silent, else what other returns.
func (w *watch) explain(err error, other func() *wire.Error) error {
	if gone := w.caller(); gone != nil {
		return gone
	}
	e := other()
	if errors.Is(w.cause(), errSilent) {
		e = wire.Upstream(http.StatusGatewayTimeout, "upstream_timeout",
			"the model server did not go on with its answer within the time allowed; it may be overloaded")
	}
	e.Cause = unquoted(err)
	return e
}

// unquoted is err without what net/http quotes of the answer in it.
func unquoted(err error) error {
	if text, _, quotes := strings.Cut(err.Error(), `"`); quotes {
		return errors.New(text + "…")
	}
	return err
}

// answer is the body of a response: decoded, watched and bounded. It belongs
// to one reader; Close may be called by anybody, any number of times.
type answer struct {
	raw   io.ReadCloser
	src   io.Reader // raw, or what decodes it
	watch *watch
	gap   time.Duration
	left  int64 // bytes that may still come; negative: any number
	begun bool  // a byte has come
}

// newAnswer checks how resp is encoded. Only plain bytes may leave the
// Client: what is compressed all the same, though identity was asked for, is
// decoded, and key is blacked out.
func newAnswer(resp *http.Response, w *watch, gap time.Duration, most int64, key string) (*answer, error) {
	a := &answer{raw: resp.Body, src: resp.Body, watch: w, gap: gap, left: most}
	if backend.ContentType(resp.Header) == backend.ContentStream {
		a.left = -1
	}
	switch encoding := strings.ToLower(resp.Header.Get("Content-Encoding")); encoding {
	case "", "identity":
	case "gzip", "x-gzip":
		a.src = &gunzip{src: resp.Body}
	default:
		return nil, wire.Upstream(http.StatusBadGateway, "unexpected_encoding",
			"the model server answered in an encoding that was not asked for")
	}
	a.src = newBlacken(a.src, key)
	return a, nil
}

func (a *answer) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if a.left == 0 {
		p = p[:1] // to tell an answer of just this size from a larger one
	} else if a.left > 0 {
		p = p[:min(int64(len(p)), a.left)]
	}
	if a.begun {
		a.watch.timer.Reset(a.gap) // until then the limit of the first byte runs
	}
	n, err := a.src.Read(p)
	if n > 0 {
		a.begun = true
		a.watch.timer.Stop()
	}
	switch {
	case n > 0 && a.left == 0:
		return 0, wire.Upstream(http.StatusBadGateway, "answer_too_large",
			"the model server's answer is larger than an answer that is not streamed may be; ask for a stream")
	case a.left > 0:
		a.left -= int64(n)
	}
	if err == nil || err == io.EOF {
		return n, err
	}
	return n, a.watch.explain(err, func() *wire.Error {
		return wire.Upstream(http.StatusBadGateway, "upstream_cut",
			"the model server's connection failed before the answer was complete; try again")
	})
}

func (a *answer) Close() error {
	a.watch.end()
	return a.raw.Close()
}

// gunzip decodes as the bytes come. The reader is made at the first Read,
// because it waits for the stream's header.
type gunzip struct {
	src io.Reader
	z   *gzip.Reader
}

func (g *gunzip) Read(p []byte) (int, error) {
	if g.z == nil {
		z, err := gzip.NewReader(g.src)
		if err != nil {
			return 0, fmt.Errorf("decoding gzip: %w", noEOF(err))
		}
		g.z = z
	}
	return g.z.Read(p)
}

// noEOF keeps an empty or cut gzip header from looking like a complete answer.
func noEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
