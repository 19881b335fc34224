package backend_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/culvert-net/culvert/api/backend"
	"github.com/culvert-net/culvert/api/backend/backendtest"
	"github.com/culvert-net/culvert/api/openai"
	"github.com/culvert-net/culvert/api/sse"
)

// slow answers after a while.
type slow struct {
	backend.Backend
	after time.Duration
	resp  *backend.Response
	err   error
}

func (s slow) Do(ctx context.Context, _ *backend.Request) (*backend.Response, error) {
	select {
	case <-time.After(s.after):
		return s.resp, s.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func answer(status int, contentType, text string) *backend.Response {
	return &backend.Response{
		Status: status, Header: http.Header{"Content-Type": {contentType}},
		Body: io.NopCloser(strings.NewReader(text)), Origin: backend.Origin{Provider: "p"},
	}
}

const after = 10 * time.Second

func TestEarlyCommitQuick(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		refusal := openai.Invalid("n", "no")
		b := backend.EarlyCommit(slow{after: time.Second, err: refusal}, after)
		if _, err := b.Do(t.Context(), backendtest.Request(t, backendtest.Streaming)); err != error(refusal) {
			t.Errorf("error %v, want it unchanged", err)
		}
		b = backend.EarlyCommit(slow{after: time.Second, resp: answer(429, backend.ContentJSON, "{}")}, after)
		resp, err := b.Do(t.Context(), backendtest.Request(t, backendtest.Streaming))
		if err != nil || resp.Status != 429 || resp.Origin.Provider != "p" {
			t.Fatalf("%+v, %v", resp, err)
		}
		if text, err := io.ReadAll(resp.Body); string(text) != "{}" || err != nil {
			t.Errorf("body %q, %v", text, err)
		}
		resp.Body.Close()
	})
}

func TestEarlyCommitOnlyStreams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := backend.EarlyCommit(slow{after: time.Hour, resp: answer(503, backend.ContentJSON, "{}")}, after)
		resp, err := b.Do(t.Context(), backendtest.Request(t, backendtest.Plain))
		if err != nil || resp.Status != 503 {
			t.Errorf("%+v, %v; want the late answer itself", resp, err)
		}
	})
}

func TestEarlyCommitLate(t *testing.T) {
	const stream = "data: {}\n\n" + sse.Done
	refusal := &openai.Error{Status: 503, Type: openai.TypeServer, Code: "busy", Message: "full"}
	for _, c := range []struct {
		name string
		late slow
		want string
		cut  bool
	}{
		{"stream", slow{resp: answer(200, backend.ContentStream, stream)}, stream, false},
		{"error", slow{err: refusal}, "data: " + string(refusal.JSON()) + "\n\n", true},
		{"status", slow{resp: answer(429, backend.ContentJSON, `{"error":"slow down"}`)}, `data: {"error":{"message":"slow down","type":"rate_limit_error","param":null,"code":null}}` + "\n\n", true},
		{"document", slow{resp: answer(200, backend.ContentJSON, "{}")}, `data: {"error":{"message":"the model server answered a streaming request with a single document","type":"upstream_error","param":null,"code":"not_a_stream"}}` + "\n\n", true},
	} {
		synctest.Test(t, func(t *testing.T) {
			c.late.after = time.Hour
			began := time.Now()
			resp, err := backend.EarlyCommit(c.late, after).Do(t.Context(), backendtest.Request(t, backendtest.Streaming))
			if err != nil || resp.Status != 200 || backend.ContentType(resp.Header) != backend.ContentStream {
				t.Fatalf("%s: %+v, %v", c.name, resp, err)
			}
			if took := time.Since(began); took != after {
				t.Errorf("%s: committed after %v, want %v", c.name, took, after)
			}
			text, err := io.ReadAll(resp.Body)
			if string(text) != c.want || (err != nil) != c.cut {
				t.Errorf("%s: %q, %v; want %q, cut %v", c.name, text, err, c.want, c.cut)
			}
			resp.Body.Close()
		})
	}
}

func TestEarlyCommitCancel(t *testing.T) {
	for name, leave := range map[string]func(context.CancelFunc, io.Closer){
		"context": func(cancel context.CancelFunc, _ io.Closer) { cancel() },
		"close":   func(_ context.CancelFunc, body io.Closer) { body.Close() },
	} {
		// The bubble fails if the inner Do is still running at its end.
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			resp, err := backend.EarlyCommit(slow{after: time.Hour}, after).Do(ctx, backendtest.Request(t, backendtest.Streaming))
			if err != nil {
				t.Fatal(err)
			}
			read := make(chan error)
			go func() {
				text, err := io.ReadAll(resp.Body)
				if len(text) > 0 {
					t.Errorf("%s: read %q", name, text)
				}
				read <- err
			}()
			synctest.Wait()
			leave(cancel, resp.Body)
			if err := <-read; !errors.Is(err, context.Canceled) {
				t.Errorf("%s: reading ended with %v", name, err)
			}
			resp.Body.Close()
		})
	}
}

func TestEarlyCommitConformance(t *testing.T) {
	backendtest.Run(t, func(t *testing.T, up *backendtest.Upstream) backend.Backend {
		return backend.EarlyCommit(newClient(t, up), backend.CommitAfter)
	})
}
