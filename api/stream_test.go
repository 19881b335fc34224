package api_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/culvert-net/culvert/api/backend/backendtest"
	"github.com/culvert-net/culvert/api/sse"
)

// cut reads a stream that must be aborted, and returns what came before.
func cut(t *testing.T, name string, resp *http.Response) string {
	t.Helper()
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if resp.StatusCode != 200 || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("%s: status %d, the stream ended with %v; want it aborted", name, resp.StatusCode, err)
	}
	if strings.Contains(string(text), "[DONE]") {
		t.Errorf("%s: a stream that was cut says [DONE]", name)
	}
	return string(text)
}

func TestStream(t *testing.T) {
	b := start(t)
	for name, events := range map[string][]string{
		"plain":             backendtest.Events(100),
		"CRLF":              {"data: a\r\n\r\n", "data: [DONE]\r\n\r\n"},
		"CR":                {"data: a\r\r", "data: [DONE]\r\r"},
		"comments":          {": ping\n\n", backendtest.Chunk(0), ":\n\n", backendtest.Done},
		"lines":             {"event: x\nid: 1\ndata: a\ndata: b\n\n", backendtest.Done},
		"split anywhere":    strings.Split(strings.Join(backendtest.Events(3), ""), ""),
		"split UTF-8":       {"data: \xf0\x9f", "\x9a\x87\n", "\n", backendtest.Done},
		"4 MiB line":        {"data: " + strings.Repeat("x", 4<<20) + "\n\n", backendtest.Done},
		"unknown fields":    {`data: {"choices":[],"x":9007199254740993,"error":null}` + "\n\n", backendtest.Done},
		"about errors":      {`data: {"choices":[{"delta":{"content":"{\"error\":{}}"}}]}` + "\n\n", backendtest.Done},
		"usage in a choice": {backendtest.Chunk(0), `data: {"choices":[{"index":0,"delta":{}}],"usage":{"total_tokens":3}}` + "\n\n", backendtest.Done},
		"no choice":         {`data: {"choices":[],"prompt_filter_results":[],"usage":null}` + "\n\n", backendtest.Chunk(0), backendtest.Done},
		"only done":         {backendtest.Done},
	} {
		b.up.Set(backendtest.Stream(0, events...))
		resp := b.post(t, backendtest.Streaming)
		if got, want := read(t, resp), strings.Join(events, ""); got != want {
			t.Errorf("%s: got %d bytes, want %d", name, len(got), len(want))
		}
		if resp.Header.Get("Content-Type") != "text/event-stream" || resp.Header.Get("X-Accel-Buffering") != "no" || resp.Header.Get("Cache-Control") != "no-cache" {
			t.Errorf("%s: headers %v", name, resp.Header)
		}
	}
	b.up.Set(backendtest.Gzip("text/event-stream", backendtest.Events(9)...))
	if got := read(t, b.post(t, backendtest.Streaming)); got != strings.Join(backendtest.Events(9), "") {
		t.Errorf("gzip: %q", got)
	}
}

// TestStreamIsNotHeldBack reads each event before the next one is sent.
func TestStreamIsNotHeldBack(t *testing.T) {
	b := start(t)
	next := make(chan string)
	b.up.Set(func(w http.ResponseWriter, r *http.Request, c *backendtest.Call) {
		w.Header().Set("Content-Type", "text/event-stream")
		for e := range next {
			io.WriteString(w, e)
			http.NewResponseController(w).Flush()
		}
	})
	go func() { next <- backendtest.Chunk(0) }()
	resp := b.post(t, backendtest.Streaming)
	for i := range 5 {
		want := backendtest.Chunk(i)
		got := make([]byte, len(want))
		if _, err := io.ReadFull(resp.Body, got); err != nil || string(got) != want {
			t.Fatalf("event %d: %q, %v", i, got, err)
		}
		next <- backendtest.Chunk(i + 1)
	}
	next <- backendtest.Done
	close(next)
	read(t, resp)
}

// TestUsageChunk checks that a chunk which a client did not ask for, and would
// look for choices in, comes only to those who did.
func TestUsageChunk(t *testing.T) {
	b := start(t)
	const asking = `{"model":"m","stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"hi"}]}`
	const usage = `data: {"choices":[],"usage":{"total_tokens":3}}` + "\n\n"
	for _, c := range []struct {
		name   string
		events []string
		dropped,
		kept string
	}{
		{"at the end", []string{backendtest.Chunk(0), usage, backendtest.Done}, backendtest.Chunk(0) + backendtest.Done, backendtest.Chunk(0) + usage + backendtest.Done},
		{"first", []string{usage, backendtest.Chunk(0), backendtest.Done}, backendtest.Chunk(0) + backendtest.Done, usage + backendtest.Chunk(0) + backendtest.Done},
		{"missing", []string{backendtest.Chunk(0), backendtest.Done}, backendtest.Chunk(0) + backendtest.Done, backendtest.Chunk(0) + backendtest.Done},
	} {
		b.up.Set(backendtest.Stream(0, c.events...))
		if got := read(t, b.post(t, backendtest.Streaming)); got != c.dropped {
			t.Errorf("%s, not asked for: got %q, want %q", c.name, got, c.dropped)
		}
		if got := read(t, b.post(t, asking)); got != c.kept {
			t.Errorf("%s, asked for: got %q, want %q", c.name, got, c.kept)
		}
	}
	// What is left out is no beginning: an error after it has its status.
	b.up.Set(backendtest.CutAfter(usage))
	wantError(t, "cut", b.post(t, backendtest.Streaming), 502, "upstream_cut")
}

// TestUnfinishedDone is a stream whose last line is not followed by a blank one:
// all has been said, and the client gets what is missing.
func TestUnfinishedDone(t *testing.T) {
	b := start(t)
	for _, end := range []string{"data: [DONE]", "data: [DONE]\n", "data:[DONE]\r\n", "data: [DONE]\r"} {
		b.up.Set(backendtest.Stream(0, backendtest.Chunk(0), end))
		got := read(t, b.post(t, backendtest.Streaming))
		if !strings.HasPrefix(got, backendtest.Chunk(0)+end) || !strings.HasSuffix(got, "\n\n") {
			t.Errorf("%q: got %q", end, got)
		}
	}
}

// TestCut is about streams that end too early: after whole events comes an
// error frame, and the connection is aborted.
func TestCut(t *testing.T) {
	b := start(t)
	whole := backendtest.Chunk(0) + backendtest.Chunk(1)
	half := backendtest.Chunk(2)[:40]
	for _, c := range []struct {
		name   string
		behave backendtest.Behaviour
		before string
		code   string
	}{
		{"reset between events", backendtest.CutAfter(backendtest.Chunk(0), backendtest.Chunk(1)), whole, "upstream_cut"},
		{"reset in an event", backendtest.CutAfter(backendtest.Chunk(0), backendtest.Chunk(1), half), whole, "upstream_cut"},
		{"end without done", backendtest.Stream(0, backendtest.Chunk(0), backendtest.Chunk(1)), whole, "stream_incomplete"},
		{"end in an event", backendtest.Stream(0, backendtest.Chunk(0), backendtest.Chunk(1), half), whole, "stream_incomplete"},
		{"end in the word", backendtest.Stream(0, backendtest.Chunk(0), backendtest.Chunk(1), "data: [DONE"), whole, "stream_incomplete"},
		{"reset in done", backendtest.CutAfter(backendtest.Chunk(0), backendtest.Chunk(1), "data: [DONE]"), whole, "upstream_cut"},
		{"huge event", backendtest.Stream(0, whole, "data: "+strings.Repeat("x", sse.MaxEvent)), whole, "event_too_large"},
	} {
		b.up.Set(c.behave)
		got := cut(t, c.name, b.post(t, backendtest.Streaming))
		frame, ok := strings.CutPrefix(got, c.before+"\n")
		if !ok || !strings.HasPrefix(frame, `data: {"error":{"message":"`) || !strings.HasSuffix(frame, "\n\n") ||
			!strings.Contains(frame, `"code":"`+c.code+`"`) || strings.Contains(frame, "event:") {
			t.Errorf("%s: got %q, want %q, a blank line and a frame with code %s", c.name, got, c.before, c.code)
		}
	}
}

// TestFailsAtOnce is about streams that fail before their first event: nothing
// was sent, so the failure has a status.
func TestFailsAtOnce(t *testing.T) {
	b := start(t)
	for _, c := range []struct {
		name   string
		behave backendtest.Behaviour
		status int
		code   string
	}{
		{"empty", backendtest.Stream(0), 502, "stream_incomplete"},
		{"reset", backendtest.CutAfter(""), 502, "upstream_cut"},
		{"half an event", backendtest.Stream(0, "data: {"), 502, "stream_incomplete"},
		{"error frame", backendtest.Stream(0, `data: {"error":{"message":"out of memory","code":"oom"}}`+"\n\n", backendtest.Done), 502, "oom"},
		{"error frame with a status", backendtest.Stream(0, `data: {"error":{"message":"too long","code":400,"type":"invalid_request_error"}}`+"\n\n"), 400, ""},
		{"document", backendtest.Answer(backendtest.Completion), 502, "not_a_stream"},
		{"error document", backendtest.Answer(`{"error":{"message":"out of memory","code":"oom"}}`), 502, "oom"},
		{"error document with a status", backendtest.Answer(`{"error":{"message":"too long","code":400}}`), 400, ""},
		{"400", backendtest.Status(400, "application/json", `{"error":{"message":"m","code":"c"}}`), 400, "c"},
		{"empty 200", backendtest.Answer(""), 502, "not_a_stream"},
		{"HTML", backendtest.Status(200, "text/html", "<html>"), 502, "unexpected_content_type"},
	} {
		b.up.Set(c.behave)
		wantError(t, c.name, b.post(t, backendtest.Streaming), c.status, c.code)
	}
}

// TestErrorFrame is about an upstream that reports an error in the stream: it
// is told in our own frame, checked, and ends the stream even if [DONE] follows.
func TestErrorFrame(t *testing.T) {
	b := start(t)
	const frame = "event: error\n" + `data: {"error":{"message":"CUDA\u001b[31m error","type":"server_error","code":500}}` + "\n\n"
	const told = `data: {"error":{"message":"CUDA[31m error","type":"server_error","param":null,"code":null}}` + "\n\n"
	for name, behave := range map[string]backendtest.Behaviour{
		"then done":  backendtest.Stream(0, backendtest.Chunk(0), frame, backendtest.Done),
		"then end":   backendtest.Stream(0, backendtest.Chunk(0), frame),
		"then reset": backendtest.CutAfter(backendtest.Chunk(0), frame),
		"at once":    backendtest.Stream(0, backendtest.Chunk(0)+frame+backendtest.Done),
	} {
		b.up.Set(behave)
		if got, want := cut(t, name, b.post(t, backendtest.Streaming)), backendtest.Chunk(0)+told; got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
		b.up.Next(t)
	}
	b.up.Set(backendtest.Stream(0, backendtest.Chunk(0), "data: {\"choices\":[\n", frame))
	if got, want := cut(t, "inside an event", b.post(t, backendtest.Streaming)), backendtest.Chunk(0)+told; got != want {
		t.Errorf("an error frame after half an event: got %q, want %q", got, want)
	}
}

// TestAfterDone is an upstream that does not end after [DONE]: the client has
// everything, and is not kept waiting for long.
func TestAfterDone(t *testing.T) {
	b := start(t)
	b.up.Set(func(w http.ResponseWriter, r *http.Request, c *backendtest.Call) {
		backendtest.Stream(0, append(backendtest.Events(2), "data: more\n\n")...)(w, r, c)
		backendtest.Silent(w, r, c)
	})
	resp := b.post(t, backendtest.Streaming)
	if got := read(t, resp); got != strings.Join(backendtest.Events(2), "") {
		t.Errorf("got %q", got)
	}
	b.up.Next(t).WaitCancelled(t)
}

// TestKeptConnection sends requests one after another on one connection: a
// stream must leave it usable.
func TestKeptConnection(t *testing.T) {
	b := start(t)
	for range 3 {
		b.up.Set(backendtest.Stream(0, backendtest.Events(3)...))
		read(t, b.post(t, backendtest.Streaming))
		b.up.Set(backendtest.Answer(backendtest.Completion))
		read(t, b.post(t, backendtest.Plain))
	}
	remotes := map[string]bool{}
	for _, c := range b.up.Calls() {
		remotes[c.Remote] = true
	}
	if len(remotes) != 1 {
		t.Errorf("6 requests took %d connections to the upstream", len(remotes))
	}
}

func TestCancel(t *testing.T) {
	for _, c := range []struct {
		name   string
		behave backendtest.Behaviour
		body   string
		answer bool // an answer begins before the client goes
	}{
		{"waiting", backendtest.Silent, backendtest.Streaming, false},
		{"before the first token", backendtest.SilentStream, backendtest.Streaming, false},
		{"mid-stream", backendtest.Endless(0), backendtest.Streaming, true},
		{"not streamed, waiting", backendtest.Silent, backendtest.Plain, false},
		{"not streamed, half way", backendtest.HalfAnswer, backendtest.Plain, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := start(t)
			b.up.Set(c.behave)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			req, err := http.NewRequestWithContext(ctx, http.MethodPost, b.url+"/v1/chat/completions", strings.NewReader(c.body))
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Content-Type", "application/json")
			ended := make(chan error, 1)
			begun := make(chan struct{})
			go func() {
				resp, err := http.DefaultTransport.RoundTrip(req)
				if err != nil {
					ended <- err
					return
				}
				defer resp.Body.Close()
				close(begun)
				_, err = io.Copy(io.Discard, resp.Body)
				ended <- err
			}()
			call := b.up.Next(t)
			if c.answer {
				<-begun
			}
			cancel()
			call.WaitCancelled(t)
			if err := <-ended; !errors.Is(err, context.Canceled) {
				t.Errorf("the client ended with %v", err)
			}
			b.log.wait(t, "status=499")
		})
	}
}

// TestConcurrentStreams is 16 clients at once, none of whom may get a wrong or
// cut answer.
func TestConcurrentStreams(t *testing.T) {
	b := start(t)
	b.up.Set(backendtest.Stream(0, backendtest.Events(20)...))
	want := strings.Join(backendtest.Events(20), "")
	failures := make(chan error, 16)
	for range 16 {
		go func() {
			failures <- func() error {
				for range 25 {
					resp, err := b.http(t).Post(b.url+"/v1/chat/completions", "application/json", strings.NewReader(backendtest.Streaming))
					if err != nil {
						return err
					}
					text, err := io.ReadAll(resp.Body)
					resp.Body.Close()
					if err != nil {
						return err
					}
					if string(text) != want {
						return errors.New("wrong answer: " + string(text))
					}
				}
				return nil
			}()
		}()
	}
	for range 16 {
		if err := <-failures; err != nil {
			t.Error(err)
		}
	}
}
