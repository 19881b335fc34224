package node

import (
	"errors"
	"time"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/mesh/directory"
	"github.com/culvert-net/culvert/mesh/world"
)

// WorldStatus says which world a node is in.
type WorldStatus struct {
	ID      string `json:"id"`
	Phrase  string `json:"phrase"`
	Hops    uint32 `json:"hops"`
	Cell    uint32 `json:"cell_bytes"`
	Epoch   uint64 `json:"epoch"`
	Sandbox bool   `json:"sandbox"`
}

// NewWorldStatus describes w now.
func NewWorldStatus(w *world.World) *WorldStatus {
	return &WorldStatus{
		ID: w.ID.String(), Phrase: w.Phrase, Hops: w.Rules.DefaultCircuitLen,
		Cell: w.Rules.FixedCellBytes, Epoch: w.Epoch(time.Now()), Sandbox: w.Sandbox,
	}
}

// Rows prints s for a person; nil prints nothing.
func (s *WorldStatus) Rows(row func(name, format string, args ...any)) {
	if s == nil {
		return
	}
	kind := ""
	if s.Sandbox {
		kind = ", a sandbox"
	}
	row("World", "%s (%.8s%s), %s, epoch %d", s.Phrase, s.ID, kind, app.Count(int(s.Hops), "hop"), s.Epoch)
}

// DirectoryStatus says what a node knows of its world.
type DirectoryStatus struct {
	Age       float64       `json:"age_s"`                  // of the last answer of a seed; negative: none yet
	Cached    float64       `json:"cached_age_s,omitempty"` // before that: of the one an earlier run kept; 0: none
	Problem   string        `json:"problem,omitempty"`
	Nodes     int           `json:"nodes"`
	Relays    int           `json:"relays"`
	Providers int           `json:"providers"`
	Models    []ModelStatus `json:"models"` // those that somebody offers now
}

// ModelStatus is one model of the world.
type ModelStatus struct {
	ID        string `json:"id"`
	Providers int    `json:"providers"`
}

// NewDirectoryStatus describes what client and its snapshot know now.
func NewDirectoryStatus(client Client, snap *directory.Snapshot) *DirectoryStatus {
	c := client.Status()
	s := &DirectoryStatus{
		Age: -1, Problem: c.FetchError, Nodes: snap.Len(), Relays: len(snap.Relays()),
		Providers: len(providers(snap)), Models: []ModelStatus{},
	}
	if age, ok := c.Age(time.Now()); ok {
		s.Age = age.Seconds()
	} else if !c.Cached.IsZero() {
		s.Cached = time.Since(c.Cached).Seconds()
	}
	for _, m := range snap.Models() {
		count := 0
		for _, n := range snap.Providers(m.ID) {
			if Offers(n, m.ID) {
				count++
			}
		}
		if count > 0 {
			s.Models = append(s.Models, ModelStatus{ID: m.ID, Providers: count})
		}
	}
	return s
}

// Rows prints s for a person; nil prints nothing.
func (s *DirectoryStatus) Rows(row func(name, format string, args ...any)) {
	if s == nil {
		return
	}
	age := "never fetched"
	switch {
	case s.Age >= 0:
		age = "fetched " + seconds(s.Age) + " ago"
	case s.Cached > 0 && s.Nodes > 0: // what is past its time is not kept
		age = "from cache, " + seconds(s.Cached) + " old"
	}
	if s.Problem != "" {
		age += "; the last attempt: " + s.Problem
	}
	row("Directory", "%s, %s, %s", app.Count(s.Relays, "relay"), app.Count(s.Providers, "provider"), age)
	for _, m := range s.Models {
		row("Model", "%s (providers: %d)", m.ID, m.Providers)
	}
}

// seconds is s as a person reads it.
func seconds(s float64) string { return (time.Duration(s) * time.Second).String() }

// Reasons takes joined errors apart, for people who wait.
func Reasons(err error) []string {
	if err == nil {
		return nil
	}
	if joined, ok := errors.AsType[interface {
		error
		Unwrap() []error
	}](err); ok {
		var all []string
		for _, e := range joined.Unwrap() {
			all = append(all, e.Error())
		}
		return all
	}
	return []string{err.Error()}
}
