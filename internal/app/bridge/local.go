package bridge

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/culvert-net/culvert/api/backend"
	"github.com/culvert-net/culvert/api/backend/openai"
	wire "github.com/culvert-net/culvert/api/openai"
	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/market"
	"github.com/culvert-net/culvert/internal/telemetry"
)

// local is a bridge without a world: one server of the user's own.
type local struct {
	upstream string
	client   *openai.Client
	models   func(context.Context) ([]backend.Model, error) // the client's

	mu      sync.Mutex
	missing error           // why no answer can come from upstream; guarded by mu
	list    []backend.Model // as last seen; guarded by mu
}

var _ mode = (*local)(nil)

func newLocal(_ context.Context, b *bridge) (mode, error) {
	upstream := b.cfg.Local.Upstream
	client, err := openai.New(openai.Config{BaseURL: upstream, Key: b.cfg.Local.Key.Reveal()})
	if err != nil {
		return nil, app.Usage(fmt.Errorf("--upstream: %w", err))
	}
	return &local{
		upstream: upstream, client: client, models: client.Models,
		missing: fmt.Errorf("the model server at %s has not been asked yet", upstream),
	}, nil
}

func (l *local) name() string { return ModeLocal }

// admin says why there is no money; members are of a world.
func (l *local) admin(rest http.Handler) http.Handler {
	return market.Admin(nil, app.Usage(errors.New("this bridge is in local mode, where nobody is paid")), rest)
}

func (l *local) backend() backend.Backend {
	return backend.EarlyCommit(l.client, backend.CommitAfter)
}

// ready is what keepLooking saw last: asking the server at every probe would only add
// to its load.
func (l *local) ready() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.missing
}

// keepLooking asks the server for its models until ctx ends: often while it does not
// answer, so that it is ready as soon as it is back, and else now and then.
func (l *local) keepLooking(ctx context.Context) error {
	failing := upstreamFirst
	for {
		pause := upstreamEvery
		if l.look(ctx) {
			failing = upstreamFirst
		} else {
			pause, failing = failing, min(2*failing, upstreamEvery)
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
	}
}

// look asks once and reports whether there was an answer.
func (l *local) look(ctx context.Context) bool {
	ask, cancel := context.WithTimeout(ctx, upstreamLimit)
	defer cancel()
	list, err := l.models(ask)
	if err != nil {
		// The URL holds no secret: one with a user or a password is refused.
		err = fmt.Errorf("the model server at %s: %s", l.upstream, explain(err))
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.missing = err; err == nil {
		l.list = list
	}
	return err == nil
}

// explain is what the owner is told of a server that did not list its models,
// in our words: its own may quote the key.
func explain(err error) string {
	e, ok := errors.AsType[*wire.Error](err)
	switch {
	case ok && e.Code == "upstream_unreachable":
		return "it cannot be reached; is it running?"
	case ok && e.Status < http.StatusInternalServerError:
		return fmt.Sprintf("it answers the question for its models with status %d; check the address, and the key in [local]", e.Status)
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Sprintf("it did not list its models within %v", upstreamLimit)
	}
	return "it does not list models as an OpenAI-compatible server does"
}

func (l *local) describe(s *Status) { s.Upstream = l.upstream }

func (l *local) listed(name string) (string, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return listedIn(l.list, name)
}

// watch implements mode: nothing is counted here that the API does not count.
func (l *local) watch(*telemetry.Registry) {}

func (l *local) parts() []app.Part { return []app.Part{{Name: "upstream watch", Run: l.keepLooking}} }

func (l *local) close() error { return l.client.Close() }
