//go:build e2e

package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/culvert-net/culvert/internal/openapi"
)

// chatBody is a chat request of a few words.
func chatBody(stream bool) string {
	if stream {
		return `{"model":"` + model + `","stream":true,"messages":[{"role":"user","content":"Hello"}]}`
	}
	return `{"model":"` + model + `","messages":[{"role":"user","content":"Hello"}]}`
}

// client is a measured one.
func (w *world) client() *http.Client {
	upstream := w.upstream
	if i := slices.Index(w.args(), "--backend"); i >= 0 {
		upstream = w.args()[i+1]
	}
	return measured(w.t, upstream)
}

// args are those of the sandbox, if it is one.
func (w *world) args() []string {
	if w.cmd == nil {
		return nil
	}
	return w.cmd.Args
}

// reply is an answer that was read to its end.
type reply struct {
	status int
	header http.Header
	body   []byte
	err    error // of the request, or of reading the body
}

// post sends a chat and returns its answer, unread.
func (w *world) post(ctx context.Context, body string) (*http.Response, error) {
	return w.postAs(ctx, "", body)
}

func (w *world) postAs(ctx context.Context, key, body string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.BaseURL+"/chat/completions", strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	if key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	return w.client().Do(req)
}

// ask sends a chat and reads all of the answer.
func (w *world) ask(body string) reply { return w.askAs("", body) }

// askAt sends body to a route and reads all of the answer.
func (w *world) askAt(path, body string) reply {
	resp, err := w.client().Post(strings.TrimSuffix(w.BaseURL, "/v1")+path, "application/json", strings.NewReader(body))
	if err != nil {
		return reply{err: err}
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return reply{status: resp.StatusCode, header: resp.Header, body: text, err: err}
}

// askAs does with an API key.
func (w *world) askAs(key, body string) reply {
	resp, err := w.postAs(context.Background(), key, body)
	if err != nil {
		return reply{err: err}
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return reply{status: resp.StatusCode, header: resp.Header, body: text, err: err}
}

// asking is ask beside the test.
func (w *world) asking(body string) <-chan reply {
	answers := make(chan reply, 1)
	go func() { answers <- w.ask(body) }()
	return answers
}

// completed fails the test unless r is a whole answer of success.
func (r reply) completed(t *testing.T) {
	t.Helper()
	if r.err != nil || r.status != http.StatusOK || len(r.body) == 0 {
		t.Fatalf("answer = status %d, %.300q, %v; want success", r.status, r.body, r.err)
	}
}

// failure is the error of an answer in OpenAI's shape.
func (r reply) failure(t *testing.T) (message, param, code string) {
	t.Helper()
	var doc struct {
		Error *struct {
			Message string  `json:"message"`
			Type    string  `json:"type"`
			Param   *string `json:"param"`
			Code    *string `json:"code"`
		} `json:"error"`
	}
	if err := json.Unmarshal(r.body, &doc); err != nil || doc.Error == nil || doc.Error.Message == "" || doc.Error.Type == "" {
		t.Fatalf("status %d with %.300q (%v); want an error in OpenAI's shape", r.status, r.body, r.err)
	}
	// Some come without a client of ours, so that none has measured them yet.
	d, err := openapi.Published()
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Check(openapi.Answer{
		Method: http.MethodPost, Path: chatPath, Status: r.status, ContentType: "application/json", Body: r.body,
	}); err != nil {
		t.Error(err)
	}
	text := func(s *string) string {
		if s == nil {
			return ""
		}
		return *s
	}
	return doc.Error.Message, text(doc.Error.Param), text(doc.Error.Code)
}

// events reads a stream's data lines.
type events struct {
	resp  *http.Response
	lines *bufio.Reader
}

// stream starts a streamed chat.
func (w *world) stream(ctx context.Context, t *testing.T) *events {
	t.Helper()
	resp, err := w.post(ctx, chatBody(true))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	if resp.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(resp.Body)
		t.Fatalf("status %d: %s", resp.StatusCode, text)
	}
	return &events{resp: resp, lines: bufio.NewReader(resp.Body)}
}

// next is the next event's data; io.EOF is a clean end, anything else a cut.
func (e *events) next() (string, error) {
	for {
		line, err := e.lines.ReadString('\n')
		if data, ok := strings.CutPrefix(strings.TrimSpace(line), "data: "); ok {
			return data, nil
		}
		if err != nil {
			return "", err
		}
	}
}
