package bridge

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/culvert-net/culvert/api/backend"
	"github.com/culvert-net/culvert/internal/app"
)

// Operators are told of each change of readiness once, with the reason.
func TestReadinessIsLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		var state atomic.Pointer[error]
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error)
		r := readiness{ready: func() error { return *state.Load() }, log: slog.New(slog.NewTextHandler(&log, nil))}
		starting := errors.New("starting")
		state.Store(&starting)
		go func() { done <- r.watch(ctx) }()
		for _, now := range []error{
			starting, // for less than a second
			nil, nil,
			errors.Join(errors.New("no provider is known"), errors.New("no circuit is ready yet")),
			errors.New("no circuit is ready yet"),
			nil,
		} {
			state.Store(&now)
			if now != starting {
				time.Sleep(readyEvery)
			}
			synctest.Wait()
		}
		stop()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("watch = %v, want the context's error", err)
		}
		var said []string
		for line := range strings.Lines(log.String()) {
			_, words, _ := strings.Cut(strings.TrimSpace(line), "msg=")
			said = append(said, words)
		}
		const want = `"bridge is ready"|"bridge is not ready" reason="no provider is known; no circuit is ready yet"|"bridge is ready"`
		if got := strings.Join(said, "|"); got != want {
			t.Errorf("log = %s, want %s", got, want)
		}
	})
}

// A bridge in local mode is ready while its server is, and says what is wrong
// with it else: it used to be ready whatever the server did.
func TestLocalReadiness(t *testing.T) {
	var status atomic.Int32
	status.Store(http.StatusOK)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(int(status.Load()))
		if status.Load() == http.StatusOK {
			w.Write([]byte(`{"data":[{"id":"m"}]}`))
			return
		}
		w.Write([]byte(`{"error":{"message":"Incorrect API key provided: sk-canary"}}`))
	}))
	defer server.Close()
	open := func() *local {
		cfg := Defaults()
		cfg.Local.Upstream = server.URL
		m, err := newLocal(t.Context(), &bridge{cfg: cfg})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { m.close() })
		return m.(*local)
	}
	l := open()
	if err := l.ready(); err == nil || !strings.Contains(err.Error(), server.URL) {
		t.Errorf("ready before the server was asked = %v, want its URL", err)
	}
	if !l.look(t.Context()) || l.ready() != nil {
		t.Errorf("ready with a server = %v, want nil", l.ready())
	}
	status.Store(http.StatusUnauthorized)
	l = open() // the list of models is believed for a moment
	if l.look(t.Context()) || !strings.Contains(l.ready().Error(), "status 401") || strings.Contains(l.ready().Error(), "sk-canary") {
		t.Errorf("ready with a wrong key = %v, want the status and nothing of the server's words", l.ready())
	}
	status.Store(http.StatusInternalServerError)
	if l.look(t.Context()) || l.ready() == nil {
		t.Error("ready with a server that fails")
	}
	server.Close()
	if l.look(t.Context()) || !strings.Contains(l.ready().Error(), server.URL+": it cannot be reached") {
		t.Errorf("ready without a server = %v, want the URL and that it cannot be reached", l.ready())
	}
}

// A dead server is asked often at first and then as seldom as one that lives.
func TestUpstreamWatchPauses(t *testing.T) {
	for name, c := range map[string]struct {
		err         error
		least, most int // questions in two minutes
	}{
		"lives": {nil, 12, 13},
		"dead":  {errors.New("refused"), 15, 20},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				asked := 0
				l := &local{upstream: "http://127.0.0.1:1", models: func(context.Context) ([]backend.Model, error) {
					asked++
					return nil, c.err
				}}
				ctx, stop := context.WithTimeout(t.Context(), 2*time.Minute)
				defer stop()
				if err := l.keepLooking(ctx); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("watch = %v, want the context's error", err)
				}
				if asked < c.least || asked > c.most {
					t.Errorf("asked %d times, want %d to %d", asked, c.least, c.most)
				}
				if (l.ready() == nil) != (c.err == nil) {
					t.Errorf("ready = %v with a server that says %v", l.ready(), c.err)
				}
			})
		})
	}
}

// An upstream without a scheme is answered with what to write.
func TestUpstreamWithoutScheme(t *testing.T) {
	for given, want := range map[string]string{
		"localhost:11434":          "write http://localhost:11434",
		"127.0.0.1:8080/v1":        "write http://127.0.0.1:8080/v1",
		"[::1]:8080":               "write http://[::1]:8080",
		"http://user:secret@host":  "must not hold a user or password",
		"user:secret@host:80":      "base URL",
		"ftp://localhost:11434/v1": "must be http",
	} {
		cfg := Defaults()
		cfg.Local.Upstream = given
		_, err := newLocal(t.Context(), &bridge{cfg: cfg})
		if app.Code(err) != app.ExitUsage || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "--upstream") || strings.Contains(err.Error(), "secret") {
			t.Errorf("--upstream %s: %v; want %q", given, err, want)
		}
	}
}
