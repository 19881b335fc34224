package gateway

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/culvert-net/culvert/api/backend"
	wire "github.com/culvert-net/culvert/api/openai"
	"github.com/culvert-net/culvert/internal/app/node"
	"github.com/culvert-net/culvert/mesh/directory"
)

// models watches what the backend serves, which is what the descriptor says.
type models struct {
	backend backend.Backend
	url     string                           // of the backend, for the log
	runtime func(ctx context.Context) string // what the server is, asked when it first answers
	able    func(ctx context.Context, model string, few bool) ([]wire.Capability, error)
	changed func() // told of each change
	log     *slog.Logger

	failures int    // in a row; owned by look
	known    string // runtime's answer, "" before it; owned by look

	abilities map[string]ability // by model; owned by look

	mu      sync.Mutex
	list    []directory.Model // as last seen; guarded by mu
	asked   bool              // it is known whether it answers; guarded by mu
	alive   bool              // the server answers; guarded by mu
	problem string            // why it does not; guarded by mu
}

// ability is what was found out about one model.
type ability struct {
	caps  []string  // nil: not yet
	again time.Time // when to ask if it is not known
}

// Run looks at the backend until ctx ends.
func (m *models) Run(ctx context.Context) error {
	for {
		timer := time.NewTimer(m.look(ctx, modelsLimit))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
	}
}

// look asks the backend once, within limit, and returns when to ask again.
// It is called by Run, or before Run.
func (m *models) look(ctx context.Context, limit time.Duration) (pause time.Duration) {
	ask, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	list, err := m.backend.Models(ask)
	if err == nil && m.known == "" {
		m.known = m.runtime(ask)
	}
	switch {
	case ctx.Err() != nil: // nobody wants to know any more
	case err == nil:
		m.failures = 0
		m.findAbilities(ask, list)
		m.set(m.describe(list), "")
	default:
		m.failures++
		// One question without an answer may be a server that restarts.
		if _, alive, _ := m.status(); !alive || m.failures >= modelsFailures {
			m.set(nil, node.WhyNoModels(err))
		}
		if m.failures < modelsFailures {
			return modelsAgain
		}
		m.abilities = nil // what comes back may have been started otherwise
	}
	return modelsEvery
}

// set notes what was seen, or why nothing was, and tells of a change. A dead
// server's list is kept: it is what comes back.
func (m *models) set(list []directory.Model, problem string) {
	m.mu.Lock()
	alive := problem == ""
	if !alive {
		list = m.list
	}
	turned := !m.asked || m.alive != alive
	back := m.asked && turned
	changed := m.alive != alive || !slices.EqualFunc(m.list, list, func(a, b directory.Model) bool {
		return a.ID == b.ID && a.Runtime == b.Runtime && a.Context == b.Context && slices.Equal(a.Caps, b.Caps)
	})
	m.list, m.asked, m.alive, m.problem = list, true, alive, problem
	m.mu.Unlock()
	switch {
	case !alive && turned:
		m.log.Warn("model server does not answer; its models are not offered until it does", "url", m.url, "reason", problem)
	case alive && changed && len(list) == 0:
		m.log.Warn("model server lists no models; nothing is offered until it does", "url", m.url)
	case alive && back:
		m.log.Info("model server is back", "url", m.url, "models", len(list))
	case alive && changed:
		m.log.Info("model server serves models", "models", len(list))
	}
	if changed {
		m.changed()
	}
}

// offered is what the descriptor says of models: all that the backend serves,
// marked as unavailable while it does not answer. known is false until it did.
func (m *models) offered() (list []directory.Model, known bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	list = slices.Clone(m.list)
	if !m.alive {
		for i := range list {
			list[i].Caps = append(slices.Clone(list[i].Caps), node.CapUnavailable)
		}
	}
	return list, len(list) > 0
}

// status is what the owner is shown.
func (m *models) status() (ids []string, alive bool, problem string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	ids = []string{}
	for _, model := range m.list {
		ids = append(ids, model.ID)
	}
	return ids, m.alive, m.problem
}

// findAbilities asks what the models of a list can do, each until it says.
func (m *models) findAbilities(ctx context.Context, list []backend.Model) {
	now := time.Now()
	found := make(map[string]ability, len(list))
	for _, model := range list {
		a, asked := m.abilities[model.ID]
		if a.caps == nil && (!asked || !now.Before(a.again)) && ctx.Err() == nil {
			able, err := m.able(ctx, model.ID, len(list) <= fewModels)
			switch {
			case err == nil:
				a.caps = make([]string, len(able))
				for i, c := range able {
					a.caps[i] = string(c)
				}
				slices.Sort(a.caps)
			case ctx.Err() == nil: // else there was no time
				a.again = now.Add(ableAgain)
				m.log.Debug("a model does not say what it can do; it is offered for chat alone", "model", model.ID, "err", err)
			}
		}
		found[model.ID] = a
	}
	m.abilities = found // of models that are gone nothing is kept
}

// describe turns the backend's list into what fits a descriptor. Models whose
// names do not (spaces, other alphabets) could not be asked for anyway, and
// those that can do nothing of ours are no use to anybody.
func (m *models) describe(list []backend.Model) []directory.Model {
	var out []directory.Model
	for _, model := range list {
		if len(out) == maxModels {
			break
		}
		caps := m.abilities[model.ID].caps
		if nameable(model.ID) && (caps == nil || len(caps) > 0) {
			out = append(out, directory.Model{ID: model.ID, Runtime: m.known, Context: uint32(model.Context), Caps: caps})
		}
	}
	return out
}

// nameable is the directory's rule for model ids: printable ASCII, no spaces.
func nameable(id string) bool {
	return id != "" && len(id) <= maxModelID && !strings.ContainsFunc(id, func(r rune) bool { return r <= ' ' || r > '~' })
}
