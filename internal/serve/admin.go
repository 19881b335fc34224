package serve

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"syscall"
)

// AdminSocket is the socket's name inside a data directory.
const AdminSocket = "admin.sock"

// ErrNoDaemon says that no program listens at an admin socket.
var ErrNoDaemon = errors.New("not running")

// ErrForeign says that who asks may not know whether one listens.
var ErrForeign = errors.New("the data directory is another user's")

// ListenAdmin binds the admin socket, readable by its owner only. The caller
// holds the data directory's lock, so a file that is there already was left by
// a process that died.
func ListenAdmin(path string) (net.Listener, error) {
	if len(path) > MaxSocketPath {
		return nil, fmt.Errorf("admin socket %s: the path has %d bytes and a socket's may have %d; choose a shorter --data", path, len(path), MaxSocketPath)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("admin socket: %w", err)
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("admin socket: %w", err)
	}
	// The directory is 0700, so nobody came in between.
	if err := os.Chmod(path, 0o600); err != nil {
		_ = l.Close()
		return nil, fmt.Errorf("admin socket: %w", err)
	}
	return l, nil
}

// A RefusedError is why the daemon did not do what it was asked to.
type RefusedError struct {
	Status int // of HTTP
	Reason string
}

func (e *RefusedError) Error() string { return e.Reason }

// Refuse answers a command with a RefusedError.
func Refuse(w http.ResponseWriter, e *RefusedError) {
	answer(w, e.Status, refusal{e.Reason})
}

// Answer answers a command with v, as JSON.
func Answer(w http.ResponseWriter, v any) { answer(w, http.StatusOK, v) }

type refusal struct {
	Error string `json:"error"`
}

// Ask gets route from the daemon behind the admin socket and decodes its JSON
// into v. ErrNoDaemon: there is none. The daemon answers from memory, as a rule; a
// ctx with a deadline is for what takes longer.
func Ask(ctx context.Context, socket, route string, v any) error {
	return call(ctx, socket, http.MethodGet, route, nil, v)
}

// Tell is Ask for commands that change something; in says what, as JSON. An
// error that the daemon has given a reason for is a *RefusedError.
func Tell(ctx context.Context, socket, route string, in, v any) error {
	text, err := json.Marshal(in)
	if err != nil {
		return fmt.Errorf("asking the daemon: %w", err)
	}
	return call(ctx, socket, http.MethodPost, route, bytes.NewReader(text), v)
}

// Stream is Tell for what takes as long as ctx lasts: the daemon answers in lines of
// JSON, each of which is given to f. An error of f ends it.
func Stream[Line any](ctx context.Context, socket, route string, in any, f func(Line) error) error {
	text, err := json.Marshal(in)
	if err != nil {
		return fmt.Errorf("asking the daemon: %w", err)
	}
	resp, err := send(ctx, socket, http.MethodPost, route, bytes.NewReader(text))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	lines := json.NewDecoder(io.LimitReader(resp.Body, maxAnswer))
	for {
		var l Line
		switch err := lines.Decode(&l); {
		case errors.Is(err, io.EOF):
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			return fmt.Errorf("reading the daemon's answer: %w", err)
		}
		if err := f(l); err != nil {
			return err
		}
	}
}

func call(ctx context.Context, socket, method, route string, in io.Reader, v any) error {
	if _, bounded := ctx.Deadline(); !bounded {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, askTimeout)
		defer cancel()
	}
	resp, err := send(ctx, socket, method, route, in)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxAnswer)).Decode(v); err != nil {
		return fmt.Errorf("reading the daemon's answer: %w", err)
	}
	return nil
}

// send asks, and returns an answer of status 200, whose body is to be closed.
func send(ctx context.Context, socket, method, route string, in io.Reader) (*http.Response, error) {
	transport := &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "unix", socket)
		},
		DisableKeepAlives: true,
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://localhost"+route, in)
	if err != nil {
		return nil, fmt.Errorf("asking the daemon: %w", err)
	}
	resp, err := transport.RoundTrip(req)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		return nil, ErrNoDaemon
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("%w: run this as that user, or choose another directory with --data: %w", ErrForeign, err)
	case err != nil:
		return nil, fmt.Errorf("asking the daemon: %w", err)
	}
	if resp.StatusCode == http.StatusOK {
		return resp, nil
	}
	defer resp.Body.Close()
	var said refusal
	if json.NewDecoder(io.LimitReader(resp.Body, maxAnswer)).Decode(&said) == nil && said.Error != "" {
		return nil, &RefusedError{resp.StatusCode, said.Error}
	}
	return nil, fmt.Errorf("asking the daemon: status %d; is it of the same version?", resp.StatusCode)
}
