package bridge

import (
	"github.com/culvert-net/culvert/api/backend"
	"github.com/culvert-net/culvert/api/backend/openai"
	"github.com/culvert-net/culvert/internal/app"
)

// local is a bridge without a world: one server of the user's own.
type local struct {
	upstream string
	client   *openai.Client
}

var _ mode = (*local)(nil)

func newLocal(b *bridge) (mode, error) {
	client, err := openai.New(openai.Config{BaseURL: b.cfg.Local.Upstream, Key: b.cfg.Local.Key.Reveal()})
	if err != nil {
		return nil, app.Usage(err)
	}
	return &local{upstream: b.cfg.Local.Upstream, client: client}, nil
}

func (l *local) name() string { return ModeLocal }

func (l *local) backend() backend.Backend {
	return backend.EarlyCommit(l.client, backend.CommitAfter)
}

// ready is always nil: whether the server is there shows in its answers, and
// asking it at every probe would only add to its load.
func (l *local) ready() error { return nil }

func (l *local) describe(s *Status) { s.Upstream = l.upstream }

func (l *local) parts() []app.Part { return nil }

func (l *local) close() error { return l.client.Close() }
