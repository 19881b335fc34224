//go:build clients

package clients

import (
	"fmt"
	"testing"
	"time"
)

// testCase is what every client is asked to do, and what the upstream must have
// seen of it. What the client itself must have seen is in the clients.
type testCase struct {
	name  string // also of the clients' functions
	title string // in the matrix
	group string // heading in the matrix, where one begins

	// check looks at the requests that reached the upstream.
	check func(t *testing.T, visits []*visit, o outcome)
}

// cases is the whole list. A client that does not mention one fails.
var cases = []testCase{
	{group: "Answers", name: "chat", title: "chat", check: times(1)},
	{name: "stream", title: "chat, streamed: every token, in order", check: times(1)},
	{name: "slow-stream", title: "chat, streamed, after a silence in which the client gets heartbeats", check: times(1)},
	{name: "usage", title: "usage of a stream (`stream_options.include_usage`)", check: times(1)},
	{name: "tools", title: "tools: two calls in one answer", check: times(1)},
	{name: "tools-stream", title: "tools, streamed: calls in pieces", check: times(1)},
	{name: "tools-result", title: "tools: their results go back, and are answered", check: times(2)},
	{name: "schema", title: "structured output (`json_schema`)", check: times(1)},
	{name: "completion", title: "completion", check: times(1)},
	{name: "completion-stream", title: "completion, streamed", check: times(1)},
	{name: "embeddings", title: "embeddings, of two texts", check: times(1)},
	{name: "models", title: "models: the list", check: times(0)},
	{name: "model", title: "models: one, with a slash and a colon in its name", check: times(0)},

	{group: "The client stops, and the model server is told", name: "stop-waiting", title: "while it waits for an answer", check: cancelled},
	{name: "stop-waiting-stream", title: "while it waits for a stream", check: cancelled},
	{name: "stop-stream", title: "within a stream", check: cancelled},

	{group: "Errors are raised in the client's own class", name: "400", title: "400 of Culvert: a body that is no request", check: times(0)},
	{name: "400-upstream", title: "400 of the model server, with `param` and `code`", check: times(1)},
	{name: "401", title: "401: not a key", check: times(0)},
	{name: "403", title: "403: a key for other models", check: times(0)},
	{name: "404", title: "404: no such model", check: times(0)},
	{name: "413", title: "413: more than 32 MiB", check: times(0)},
	{name: "429-key", title: "429: the key's limit is used up", check: times(0)},
	{name: "429", title: "429 of the model server, with `Retry-After`", check: times(1)},
	{name: "429-retry", title: "the same, and the client's own retry waits as long", check: retried},
	{name: "500", title: "500 of the model server", check: times(1)},
	{name: "502", title: "502 of the model server", check: times(1)},
	{name: "503", title: "503 of the model server", check: times(1)},
	{name: "cut", title: "an answer cut midway", check: times(1)},
	{name: "cut-stream", title: "a stream cut midway", check: times(1)},
	{name: "slow-cut-stream", title: "a stream cut after a heartbeat", check: times(1)},
	{name: "end-stream", title: "a stream that ends without `[DONE]`", check: times(1)},
	{name: "fail-stream", title: "an error within a stream", check: times(1)},
}

// times wants so many requests: none that should not go on, and none twice.
func times(n int) func(*testing.T, []*visit, outcome) {
	return func(t *testing.T, visits []*visit, _ outcome) {
		t.Helper()
		if len(visits) != n {
			t.Errorf("%d requests reached the model server, want %d", len(visits), n)
		}
	}
}

// cancelled wants one request, and that the upstream was told to give it up.
func cancelled(t *testing.T, visits []*visit, _ outcome) {
	t.Helper()
	if len(visits) != 1 {
		t.Fatalf("%d requests reached the model server, want 1", len(visits))
	}
	visits[0].WaitCancelled(t)
}

// retried wants two requests, the second after the time that the first was told
// to wait. A client that had not seen it would have come before.
func retried(t *testing.T, visits []*visit, o outcome) {
	t.Helper()
	if len(visits) != 2 {
		t.Fatalf("%d requests reached the model server, want 2", len(visits))
	}
	after := time.Duration(o.After) * time.Second
	if gap := visits[1].at.Sub(visits[0].at); o.After <= 0 || gap < after {
		t.Errorf("the second request came %v after the first, want at least %v", gap, after)
	}
}

// outcome is one line of a client.
type outcome struct {
	Case   string `json:"case"`
	Result string `json:"result"` // "ok", "fail" or "none": the client has no such thing
	Detail string `json:"detail"` // why not, or why there is none
	Nonce  string `json:"nonce"`
	After  int    `json:"after"` // of a retry: the Retry-After it planned, in seconds
}

// inform explains an outcome that is no success.
func (o outcome) inform() string { return fmt.Sprintf("%s: %s", o.Result, o.Detail) }
