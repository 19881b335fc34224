package backendtest

import (
	"crypto/sha256"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/culvert-net/culvert/internal/openapi"
)

// Patience is how long a test waits for an event that must come.
const Patience = 10 * time.Second

// Upstream is a model server that behaves as it is told.
type Upstream struct {
	URL string // e.g. http://127.0.0.1:40123, without /v1

	server      *httptest.Server
	description *openapi.Description

	mu      sync.Mutex // guards what follows
	behave  Behaviour
	foreign *atomic.Bool // something behave sent breaks OpenAI's description
	record  []*Call

	calls chan *Call // in order of arrival; see Next
}

// Call is one request that reached an Upstream.
type Call struct {
	Method, Path string
	Host         string
	Header       http.Header
	Remote       string // the far address, which tells connections apart
	Body         []byte
	Sum          [sha256.Size]byte // of Body

	// Done is closed when the request's connection is given up by the far end
	// or when the behaviour has ended, whichever comes first.
	Done <-chan struct{}

	finished  chan struct{} // closed when the behaviour has returned
	cancelled bool          // set before finished is closed
}

// maxCalls bounds the requests one test makes without looking at them.
const maxCalls = 100_000

// NewUpstream starts an Upstream that answers everything with a completion; it
// is stopped when the test ends.
func NewUpstream(tb testing.TB) *Upstream {
	tb.Helper()
	description, err := openapi.Published()
	if err != nil {
		tb.Fatal(err)
	}
	u := &Upstream{
		description: description, behave: Answer(Completion), foreign: &atomic.Bool{}, calls: make(chan *Call, maxCalls),
	}
	u.server = httptest.NewServer(http.HandlerFunc(u.serve))
	u.URL = u.server.URL
	tb.Cleanup(func() {
		u.server.CloseClientConnections()
		u.server.Close()
	})
	return u
}

// Set changes what happens to the requests that come from now on.
func (u *Upstream) Set(b Behaviour) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.behave, u.foreign = b, &atomic.Bool{}
}

// Foreign reports whether something that was sent since the last Set breaks
// OpenAI's description, as model servers do. It is passed on as it is, so only
// what others make of it can be checked.
func (u *Upstream) Foreign() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.foreign.Load()
}

// foreignPath is where an Upstream tells other processes of the test what
// Foreign says. No server has it, and it is not recorded as a Call.
const foreignPath = "/-/foreign"

// Foreign is what the Upstream at url says; of any other server it is true.
func Foreign(url string) bool {
	resp, err := http.Get(url + foreignPath)
	if err != nil {
		return true
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return err != nil || string(text) != "false"
}

// Calls is every request so far.
func (u *Upstream) Calls() []*Call {
	u.mu.Lock()
	defer u.mu.Unlock()
	return append([]*Call(nil), u.record...)
}

// Next waits for the next request that no Next has returned yet.
func (u *Upstream) Next(tb testing.TB) *Call {
	tb.Helper()
	select {
	case c := <-u.calls:
		return c
	case <-time.After(Patience):
		tb.Fatal("no request reached the upstream")
		return nil
	}
}

// WaitCancelled waits until the far end has given the request up.
func (c *Call) WaitCancelled(tb testing.TB) {
	tb.Helper()
	select {
	case <-c.finished:
		if !c.cancelled {
			tb.Fatal("the upstream's answer ended by itself; want it cancelled")
		}
	case <-time.After(Patience):
		tb.Fatal("the upstream was not told that the client is gone")
	}
}

func (u *Upstream) serve(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == foreignPath {
		write(w, strconv.FormatBool(u.Foreign()))
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the far end gave up while sending
	}
	c := &Call{
		Method: r.Method, Path: r.URL.RequestURI(), Host: r.Host, Header: r.Header.Clone(),
		Remote: r.RemoteAddr, Body: body, Sum: sha256.Sum256(body),
		Done: r.Context().Done(), finished: make(chan struct{}),
	}
	u.mu.Lock()
	behave, foreign := u.behave, u.foreign
	u.record = append(u.record, c)
	u.mu.Unlock()
	defer close(c.finished)
	defer func() { c.cancelled = r.Context().Err() != nil }()
	u.calls <- c
	behave(&openapi.Watch{ResponseWriter: w, Description: u.description, Request: r, Foreign: foreign}, r, c)
}
