package backendtest

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// Behaviour answers one request. The request's body has been read.
type Behaviour func(w http.ResponseWriter, r *http.Request, c *Call)

// Completion is a small answer that is not streamed.
const Completion = `{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"m",` +
	`"choices":[{"index":0,"message":{"role":"assistant","content":"Hello","refusal":null},"logprobs":null,"finish_reason":"stop"}],` +
	`"usage":{"prompt_tokens":3,"completion_tokens":1,"total_tokens":4},"x_unknown":9007199254740993}`

// Done ends a stream.
const Done = "data: [DONE]\n\n"

// Chunk is the i-th event of a stream: one token.
func Chunk(i int) string {
	return fmt.Sprintf(`data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m",`+
		`"choices":[{"index":0,"delta":{"content":"t%d "},"finish_reason":null}]}`+"\n\n", i)
}

// Events are n chunks and the end.
func Events(n int) []string {
	var events []string
	for i := range n {
		events = append(events, Chunk(i))
	}
	return append(events, Done)
}

// Answer sends text as JSON with status 200.
func Answer(text string) Behaviour { return Status(http.StatusOK, "application/json", text) }

// Status sends text with any status and content type, and headers given as
// alternating names and values.
func Status(status int, contentType, text string, headers ...string) Behaviour {
	return func(w http.ResponseWriter, _ *http.Request, _ *Call) {
		for i := 0; i+1 < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.Header().Set("Content-Type", contentType)
		w.Header().Set("Content-Length", strconv.Itoa(len(text)))
		w.WriteHeader(status)
		write(w, text)
	}
}

// Stream sends events with a pause before each, and stops when the client has
// gone. Whether the last one is Done is up to the caller.
func Stream(pace time.Duration, events ...string) Behaviour {
	return func(w http.ResponseWriter, r *http.Request, _ *Call) {
		startStream(w)
		for _, e := range events {
			if !pause(r, pace) {
				return
			}
			write(w, e)
			flush(w)
		}
	}
}

// Endless streams chunks until the client has gone.
func Endless(pace time.Duration) Behaviour {
	return func(w http.ResponseWriter, r *http.Request, _ *Call) {
		startStream(w)
		for i := 0; pause(r, pace); i++ {
			write(w, Chunk(i))
			flush(w)
		}
	}
}

// CutAfter streams parts, the last of which may be half an event, and then
// drops the connection.
func CutAfter(parts ...string) Behaviour {
	return func(w http.ResponseWriter, r *http.Request, c *Call) {
		Stream(0, parts...)(w, r, c)
		panic(http.ErrAbortHandler)
	}
}

// CutAnswer promises more of an answer than it sends, and drops the connection.
func CutAnswer(text string) Behaviour {
	return func(w http.ResponseWriter, _ *http.Request, _ *Call) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", strconv.Itoa(len(text)))
		write(w, text[:len(text)/2])
		flush(w)
		panic(http.ErrAbortHandler)
	}
}

// Silent accepts the request and says nothing until the client has gone.
func Silent(_ http.ResponseWriter, r *http.Request, _ *Call) { <-r.Context().Done() }

// SilentStream sends the head of a stream, and then nothing until the client
// has gone.
func SilentStream(w http.ResponseWriter, r *http.Request, _ *Call) {
	startStream(w)
	flush(w)
	<-r.Context().Done()
}

// HalfAnswer sends half of an answer that is not streamed, and then nothing
// until the client has gone.
func HalfAnswer(w http.ResponseWriter, r *http.Request, _ *Call) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(Completion)))
	write(w, Completion[:len(Completion)/2])
	flush(w)
	<-r.Context().Done()
}

// After waits, as a server does during a long prefill, and then does next.
func After(d time.Duration, next Behaviour) Behaviour {
	return func(w http.ResponseWriter, r *http.Request, c *Call) {
		if pause(r, d) {
			next(w, r, c)
		}
	}
}

// Gated waits for gate to close and then does next.
func Gated(gate <-chan struct{}, next Behaviour) Behaviour {
	return func(w http.ResponseWriter, r *http.Request, c *Call) {
		select {
		case <-gate:
			next(w, r, c)
		case <-r.Context().Done():
		}
	}
}

// Gzip sends text compressed, whether or not that was asked for; parts are
// flushed one by one.
func Gzip(contentType string, parts ...string) Behaviour {
	return func(w http.ResponseWriter, _ *http.Request, _ *Call) {
		w.Header().Set("Content-Type", contentType)
		w.Header().Set("Content-Encoding", "gzip")
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		for _, p := range parts {
			// Writing to memory does not fail.
			_, _ = z.Write([]byte(p))
			_ = z.Flush()
			write(w, b.String())
			flush(w)
			b.Reset()
		}
		_ = z.Close()
		write(w, b.String())
	}
}

// CutGzip sends the beginning of text compressed and ends cleanly, but not the
// compressed stream; keep is how many bytes of it are sent.
func CutGzip(contentType, text string, keep int) Behaviour {
	return func(w http.ResponseWriter, _ *http.Request, _ *Call) {
		w.Header().Set("Content-Type", contentType)
		w.Header().Set("Content-Encoding", "gzip")
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		_, _ = z.Write([]byte(text)) // to memory
		_ = z.Flush()
		write(w, b.String()[:min(keep, b.Len())])
	}
}

// Bomb sends a gzip stream of half a megabyte that unpacks to half a gigabyte.
func Bomb(contentType string) Behaviour {
	return func(w http.ResponseWriter, r *http.Request, _ *Call) {
		w.Header().Set("Content-Type", contentType)
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		defer z.Close()
		zeros := make([]byte, 1<<20)
		for range 512 {
			if _, err := z.Write(zeros); err != nil || r.Context().Err() != nil {
				return // the client has had enough
			}
		}
	}
}

// Flood streams text and then one line without end, until the client has gone.
func Flood(text string) Behaviour {
	return func(w http.ResponseWriter, _ *http.Request, _ *Call) {
		startStream(w)
		write(w, text)
		more := bytes.Repeat([]byte("x"), 64<<10)
		for {
			if _, err := w.Write(more); err != nil {
				return
			}
		}
	}
}

// Hints sends n times 103, and then an answer.
func Hints(n int) Behaviour {
	return func(w http.ResponseWriter, r *http.Request, c *Call) {
		for range n {
			w.Header().Set("Link", "</style.css>; rel=preload; as=style")
			w.WriteHeader(http.StatusEarlyHints)
		}
		Answer(Completion)(w, r, c)
	}
}

// Redirect sends the client elsewhere.
func Redirect(to string) Behaviour {
	return Status(http.StatusTemporaryRedirect, "text/plain", "elsewhere\n", "Location", to)
}

// CloseAfter answers with text, announces that the connection stays open, and
// closes it, as llama-server does.
func CloseAfter(text string) Behaviour {
	return func(w http.ResponseWriter, _ *http.Request, _ *Call) {
		conn, buf, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic("backendtest: hijack: " + err.Error())
		}
		defer conn.Close()
		// The client may be gone, which is its own business.
		_, _ = fmt.Fprintf(buf, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"+
			"Connection: keep-alive\r\nContent-Length: %d\r\n\r\n%s", len(text), text)
		_ = buf.Flush()
	}
}

// ByPath does one thing when asked for models and another for the rest.
func ByPath(models, other Behaviour) Behaviour {
	return func(w http.ResponseWriter, r *http.Request, c *Call) {
		if r.URL.Path == "/v1/models" {
			models(w, r, c)
			return
		}
		other(w, r, c)
	}
}

func startStream(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	w.WriteHeader(http.StatusOK)
}

// write sends text; a client that has gone is noticed by the request's context.
func write(w http.ResponseWriter, text string) { _, _ = w.Write([]byte(text)) }

func flush(w http.ResponseWriter) { _ = http.NewResponseController(w).Flush() }

// pause waits for d and reports whether the client is still there.
func pause(r *http.Request, d time.Duration) bool {
	if d <= 0 {
		return r.Context().Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-r.Context().Done():
		return false
	}
}
