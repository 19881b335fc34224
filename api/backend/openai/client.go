package openai

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"time"

	"github.com/culvert-net/culvert/api/backend"
	"github.com/culvert-net/culvert/api/body"
	wire "github.com/culvert-net/culvert/api/openai"
)

// Config describes one server.
type Config struct {
	// BaseURL is where the server is, with or without the API's version:
	// http://127.0.0.1:11434 and https://api.example.com/openai/v1 both work.
	BaseURL string

	// Key is our own API key for the server, sent as a bearer token; "" sends
	// none. The client's key never goes there.
	Key string

	Connect   time.Duration // limit until connected; 0 means DefaultConnect
	FirstByte time.Duration // limit until an answer begins; 0 means DefaultFirstByte
	Gap       time.Duration // limit between two reads of an answer; 0 means DefaultGap
	MaxAnswer int64         // bytes of an answer that is not streamed; 0 means DefaultMaxAnswer
}

// Client is a backend.Backend that asks one server.
type Client struct {
	root      string // up to and with the version, e.g. http://127.0.0.1:8000/v1
	key       string
	firstByte time.Duration
	gap       time.Duration
	maxAnswer int64

	pooled *http.Transport // keeps connections
	fresh  *http.Transport // a new connection for each request

	// unpooled is set once the server turns out to be llama-server, which
	// announces keep-alive and closes after each stream: of 400 pooled requests
	// 61 were lost. Its other answers are faster on a fresh connection too.
	unpooled atomic.Bool

	models modelCache
	server findings
	held   *body.Budget // answers that are read whole
}

var _ backend.Backend = (*Client)(nil)

// New returns a Client. It connects to nothing.
func New(cfg Config) (*Client, error) {
	root, err := apiRoot(cfg.BaseURL)
	if err != nil {
		return nil, err
	}
	connect := orDefault(cfg.Connect, DefaultConnect)
	return &Client{
		root:      root,
		key:       cfg.Key,
		firstByte: orDefault(cfg.FirstByte, DefaultFirstByte),
		gap:       orDefault(cfg.Gap, DefaultGap),
		maxAnswer: orDefault(cfg.MaxAnswer, DefaultMaxAnswer),
		pooled:    newTransport(connect, true),
		fresh:     newTransport(connect, false),
		models:    modelCache{turn: make(chan struct{}, 1)},
		held:      body.NewBudget(heldAnswers),
	}, nil
}

// Close drops idle connections. Requests that are running go on.
func (c *Client) Close() error {
	c.pooled.CloseIdleConnections()
	c.fresh.CloseIdleConnections()
	return nil
}

func orDefault[T time.Duration | int64](v, def T) T {
	if v <= 0 {
		return def
	}
	return v
}

// version is the last part of a base URL that already names an API version.
var version = regexp.MustCompile(`/v[0-9]+[a-z0-9]*$`)

// bare is host:port, with a path if need be and nothing that may be secret.
var bare = regexp.MustCompile(`^([A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\]):[0-9]{1,5}(/[A-Za-z0-9._/-]*)?$`)

// apiRoot checks a base URL and completes it with the version.
func apiRoot(base string) (string, error) {
	u, err := url.Parse(base)
	switch {
	case bare.MatchString(base):
		// An address of a machine, which url.Parse takes for a scheme or refuses.
		return "", errors.New("base URL lacks its scheme: write http://" + base)
	case err != nil:
		// url.Error quotes its input, which may hold a password.
		return "", errors.New("base URL does not parse")
	case u.Scheme != "http" && u.Scheme != "https", u.Host == "":
		return "", errors.New("base URL must be http://host[:port] or https://host[:port], with a path if need be")
	case u.User != nil:
		return "", errors.New("base URL must not hold a user or password; configure the API key instead")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return "", errors.New("base URL must not have a query or fragment")
	}
	root := strings.TrimRight(u.Scheme+"://"+u.Host+u.EscapedPath(), "/")
	if !version.MatchString(strings.TrimRight(u.Path, "/")) {
		root += "/v1"
	}
	return root, nil
}

// Do implements backend.Backend.
func (c *Client) Do(ctx context.Context, req *backend.Request) (*backend.Response, error) {
	path, ok := strings.CutPrefix(req.Path, "/v1/")
	if !ok {
		return nil, fmt.Errorf("path %q is not below /v1", req.Path)
	}
	data, err := c.fit(req)
	if err != nil {
		return nil, err
	}
	if err := c.checkNumber(ctx, req); err != nil {
		return nil, err
	}
	if err := c.checkSchema(ctx, req); err != nil {
		return nil, err
	}
	resp, err := c.send(ctx, req.Method, c.root+"/"+path, backend.RequestHeader(req), data)
	if err != nil {
		return nil, err
	}
	if resp.Status != http.StatusOK {
		header := resp.Header
		e := backend.ReadError(resp)
		refine(req, e)
		return backend.ErrorResponse(e, header), nil
	}
	return c.inspect(req, resp)
}

// send makes one request and returns its answer: with status 200 and a type
// that is allowed, or as an error in OpenAI's shape.
func (c *Client) send(ctx context.Context, method, url string, header http.Header, data []byte) (*backend.Response, error) {
	guarded, watch := newWatch(ctx, c.firstByte)
	resp, err := c.roundTrip(guarded, method, url, header, data)
	if err != nil {
		defer watch.end()
		return nil, watch.explain(err, unreachable)
	}
	if isLlama(resp.Header) {
		c.unpooled.Store(true)
	}
	answer, err := newAnswer(resp, watch, c.gap, c.maxAnswer, c.key)
	if err != nil {
		defer watch.end()
		defer resp.Body.Close()
		return nil, err
	}
	out := &backend.Response{Status: resp.StatusCode, Header: backend.ResponseHeader(resp.Header), Body: answer}
	switch {
	case resp.StatusCode != http.StatusOK:
		answer.gap = min(answer.gap, errorGap)
		watch.timer.Reset(answer.gap)
		e := backend.ReadError(out)
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		return backend.ErrorResponse(e, resp.Header), nil
	case out.Header.Get("Content-Type") == "":
		defer answer.Close()
		return nil, wire.Upstream(http.StatusBadGateway, "unexpected_content_type",
			"the model server answered with neither JSON nor an event stream; is its address that of an OpenAI-compatible API?")
	}
	return out, nil
}

// roundTrip sends the request on a kept connection if that makes sense, and
// once more on a fresh one if the kept one was dead: it failed before the
// first byte of an answer.
func (c *Client) roundTrip(ctx context.Context, method, url string, header http.Header, data []byte) (*http.Response, error) {
	if c.unpooled.Load() {
		req, err := c.request(ctx, method, url, header, data)
		if err != nil {
			return nil, err
		}
		return c.fresh.RoundTrip(req)
	}
	var conn connState
	req, err := c.request(conn.trace(ctx), method, url, header, data)
	if err != nil {
		return nil, err
	}
	resp, err := c.pooled.RoundTrip(req)
	if err == nil || !conn.stale() || ctx.Err() != nil {
		return resp, err
	}
	if req, err = c.request(ctx, method, url, header, data); err != nil {
		return nil, err
	}
	return c.fresh.RoundTrip(req)
}

// request builds what goes on the wire, and nothing besides.
func (c *Client) request(ctx context.Context, method, url string, header http.Header, data []byte) (*http.Request, error) {
	var content io.Reader
	if data != nil {
		content = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, method, url, content)
	if err != nil {
		return nil, fmt.Errorf("building the request: %w", err)
	}
	req.Header = header.Clone()
	req.Header.Set("Accept-Encoding", "identity")
	req.Header.Set("User-Agent", "") // net/http sends none rather than its own
	if c.key != "" {
		req.Header.Set("Authorization", "Bearer "+c.key)
	}
	return req, nil
}

// unreachable is the answer when no connection, or no answer on one, came.
func unreachable() *wire.Error {
	return wire.Upstream(http.StatusBadGateway, "upstream_unreachable",
		"the model server cannot be reached or closed the connection without an answer; is it running?")
}

func isLlama(h http.Header) bool {
	return strings.HasPrefix(h.Get("Server"), "llama.cpp")
}
