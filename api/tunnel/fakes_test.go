package tunnel

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/culvert-net/culvert/api/backend"
	"github.com/culvert-net/culvert/api/body"
	"github.com/culvert-net/culvert/api/openai"
)

// fakeRouter serves model "m" from its targets, in order.
type fakeRouter struct {
	targets []Target
	fail    error // what Choose returns instead
	unable  []openai.Capability

	mu      sync.Mutex
	reports []string // "name outcome"
}

func newRouter(names ...string) *fakeRouter {
	r := &fakeRouter{}
	for i, name := range names {
		r.targets = append(r.targets, Target{Key: [32]byte{byte(i + 1)}, Name: name})
	}
	return r
}

func (r *fakeRouter) Choose(model string, needs openai.Capability, exclude []Target) (Target, error) {
	switch {
	case r.fail != nil:
		return Target{}, r.fail
	case model != "m" && model != "alias":
		return Target{}, fmt.Errorf("choosing: %w", ErrUnknownModel)
	case slices.Contains(r.unable, needs):
		return Target{}, fmt.Errorf("choosing: %w", ErrNotAble)
	}
	for _, t := range r.targets {
		if !slices.Contains(exclude, t) {
			return t, nil
		}
	}
	return Target{}, fmt.Errorf("choosing: %w", ErrNoProvider)
}

func (r *fakeRouter) Report(t Target, o Outcome) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.reports = append(r.reports, t.Name+" "+o.String())
}

func (r *fakeRouter) reported() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Join(r.reports, ", ")
}

func (r *fakeRouter) Models() []backend.Model { return []backend.Model{{ID: "m"}} }

// peer plays a provider on the server's end of a stream.
type peer func(conn *memConn)

// fakeDialer gives the n-th Dial to the n-th peer; a nil peer is a failed
// dial, and before may delay or fail any of them.
type fakeDialer struct {
	t      testing.TB
	peers  []peer
	max    int // of a stream's queues
	before func(ctx context.Context) error

	mu     sync.Mutex
	dialed []string
	conns  []*memConn // the client's ends
	wg     sync.WaitGroup
}

func (d *fakeDialer) Dial(ctx context.Context, to Target, _ backend.Group) (Conn, error) {
	d.mu.Lock()
	n := len(d.dialed)
	d.dialed = append(d.dialed, to.Name)
	d.mu.Unlock()
	if d.before != nil {
		if err := d.before(ctx); err != nil {
			return nil, err
		}
	}
	if n >= len(d.peers) {
		d.t.Errorf("dial %d of %s, want at most %d", n+1, to.Name, len(d.peers))
		return nil, errors.New("too many dials")
	}
	if d.peers[n] == nil {
		return nil, errors.New("no route to 203.0.113.9")
	}
	client, server := newPipe(fmt.Sprintf("c%d", n+1), d.max)
	d.mu.Lock()
	d.conns = append(d.conns, client)
	d.mu.Unlock()
	d.wg.Go(func() { d.peers[n](server) })
	return client, nil
}

// newDialer has a peer for each dial that may happen.
func newDialer(t testing.TB, peers ...peer) *fakeDialer {
	d := &fakeDialer{t: t, peers: peers, max: 64 << 10}
	t.Cleanup(d.wg.Wait)
	return d
}

func newTestClient(t testing.TB, r Router, d Dialer) *Client {
	t.Helper()
	c, err := NewClient(ClientConfig{Router: r, Dialer: d})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// chat makes a request for body.
func chat(t testing.TB, data string) *backend.Request {
	t.Helper()
	v, e := openai.ParseChat([]byte(data))
	if e != nil {
		t.Fatal(e)
	}
	return &backend.Request{
		ID: "r1", Method: http.MethodPost, Path: "/v1/chat/completions",
		Header: http.Header{"Authorization": {"Bearer sk-secret"}, "User-Agent": {"sdk/1"}, "Cookie": {"a=b"}},
		Body:   []byte(data), View: v,
	}
}

const (
	plainChat  = `{"model":"m","messages":[{"role":"user","content":"hi"}]}`
	streamChat = `{"model":"m","stream":true,"messages":[{"role":"user","content":"hi"}]}`
)

// takeRequest reads a whole request off the stream.
func takeRequest(conn *memConn) string {
	b, _ := io.ReadAll(conn)
	return string(b)
}

// say answers a whole request with raw bytes and ends the direction.
func say(raw string) peer {
	return func(conn *memConn) {
		takeRequest(conn)
		_, _ = io.WriteString(conn, raw)
		_ = conn.CloseWrite()
	}
}

// sayThenReset answers with raw bytes, waits until they were read, and resets.
func sayThenReset(raw string) peer {
	return func(conn *memConn) {
		takeRequest(conn)
		_, _ = io.WriteString(conn, raw)
		conn.drained()
		_ = conn.Reset()
	}
}

// drained waits until the peer has read all, or has gone.
func (c *memConn) drained() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.peer.in) > 0 && !c.broken && !c.peer.closed {
		c.cond.Wait()
	}
}

const (
	jsonHead   = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
	streamHead = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
)

// jsonAnswer is a whole document.
func jsonAnswer(data string) string { return jsonHead + chunks(data) + lastChunk }

// errorAnswer is a whole error answer.
func errorAnswer(status int, data string) string {
	return fmt.Sprintf("HTTP/1.1 %d %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
		status, http.StatusText(status), len(data), data)
}

func streamAnswer(events ...string) string {
	return streamHead + chunks(events...) + lastChunk
}

func chunks(events ...string) string {
	var b strings.Builder
	for _, e := range events {
		fmt.Fprintf(&b, "%x\r\n%s\r\n", len(e), e)
	}
	return b.String()
}

// chanAcceptor hands out what is sent on conns.
type chanAcceptor struct {
	conns  chan Conn
	closed chan struct{}
	once   sync.Once
}

func newAcceptor() *chanAcceptor {
	return &chanAcceptor{conns: make(chan Conn), closed: make(chan struct{})}
}

func (a *chanAcceptor) Accept() (Conn, error) {
	select {
	case c := <-a.conns:
		return c, nil
	case <-a.closed:
		return nil, net.ErrClosed
	}
}

func (a *chanAcceptor) Close() error {
	a.once.Do(func() { close(a.closed) })
	return nil
}

// backendFunc is a Backend of one function.
type backendFunc func(ctx context.Context, req *backend.Request) (*backend.Response, error)

func (f backendFunc) Do(ctx context.Context, req *backend.Request) (*backend.Response, error) {
	return f(ctx, req)
}

func (backendFunc) Models(context.Context) ([]backend.Model, error) { return nil, nil }

// answerWith is a Backend that always answers the same.
func answerWith(status int, media string, b io.Reader) backendFunc {
	return func(context.Context, *backend.Request) (*backend.Response, error) {
		return &backend.Response{
			Status: status, Header: http.Header{"Content-Type": {media}}, Body: io.NopCloser(b),
		}, nil
	}
}

// running is a Server that serves in the background until stop.
type running struct {
	server *Server
	acc    *chanAcceptor
	stop   func() error
}

func serveBackend(t testing.TB, cfg ServerConfig) *running {
	t.Helper()
	if cfg.Budget == nil {
		cfg.Budget = body.NewBudget(256 << 20)
	}
	s, err := NewServer(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	r := &running{server: s, acc: newAcceptor()}
	ran := make(chan error, 1)
	go func() { ran <- s.Run(ctx, r.acc) }()
	r.stop = sync.OnceValue(func() error {
		cancel()
		return <-ran
	})
	t.Cleanup(func() {
		if err := r.stop(); err != nil {
			t.Errorf("Run = %v, want nil", err)
		}
	})
	return r
}

// open opens a stream to the server.
func (r *running) open(max int) (client, server *memConn) {
	client, server = newPipe("c1", max)
	r.acc.conns <- server
	return client, server
}

// dialServer is a Dialer to a running Server.
type dialServer struct {
	*running
	max int
}

func (d dialServer) Dial(ctx context.Context, _ Target, _ backend.Group) (Conn, error) {
	client, server := newPipe("c1", d.max)
	select {
	case d.acc.conns <- server:
		return client, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
