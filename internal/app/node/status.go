package node

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/culvert-net/culvert/circuit"
	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/mesh"
	"github.com/culvert-net/culvert/mesh/directory"
	"github.com/culvert-net/culvert/mesh/world"
)

// Status is what a node that others reach says of itself to its owner.
type Status struct {
	Program   string             `json:"program"`
	Version   string             `json:"version"`
	Started   time.Time          `json:"started"`
	Name      string             `json:"name"`
	ID        string             `json:"id"` // as others show a node without a name
	PeerID    string             `json:"peer_id"`
	Roles     []string           `json:"roles"`
	Seed      bool               `json:"seed"`
	Ready     bool               `json:"ready"`
	Waiting   []string           `json:"waiting,omitempty"` // for what, if not ready
	Addrs     []string           `json:"addrs"`
	StatusURL string             `json:"status_url,omitempty"`
	Published int                `json:"published_to"` // seeds that know what is said here
	Seeds     int                `json:"seeds"`        // others that there are
	Problem   string             `json:"publish_problem,omitempty"`
	World     *WorldStatus       `json:"world"`
	Directory *DirectoryStatus   `json:"directory"`
	Circuits  circuit.RelayStats `json:"circuits"`
	Links     int                `json:"links"`
	Refused   map[string]uint64  `json:"refused,omitempty"` // by limit
}

// Served fills in what host, directory and relay know now. err is why the node is
// not ready.
func (s *Status) Served(host *mesh.Host, d *Signed, snap *directory.Snapshot, relay *circuit.Relay, err error) {
	s.ID, s.PeerID = ShortID(host.Key()), mesh.PeerID(host.Key())
	s.Ready, s.Waiting = err == nil, Reasons(err)
	p := d.Published()
	s.Published, s.Seeds, s.Problem = p.Told, p.Seeds, p.Problem
	s.Directory, s.Circuits = NewDirectoryStatus(d, snap), relay.Stats()
	links := host.Stats()
	s.Links, s.Refused = links.Links, links.Refused
}

// Rows prints s, but for its circuits, for a person.
func (s *Status) Rows(row func(name, format string, args ...any)) {
	row("Node", "%s", strings.TrimSpace(s.Name+" "+s.ID))
	row("Peer id", "%s", s.PeerID)
	row("Roles", "%s", strings.Join(s.Roles, ", "))
	for _, a := range s.Addrs {
		row("Address", "%s", a)
	}
	if s.Ready {
		row("Ready", "yes")
	} else {
		row("Ready", "no: %s", strings.Join(s.Waiting, "; "))
	}
	if s.StatusURL != "" {
		row("Status page", "%s/status", s.StatusURL)
	}
	s.World.Rows(row)
	s.Directory.Rows(row)
	published := fmt.Sprintf("known to %d of %s", s.Published, app.Count(s.Seeds, "other seed"))
	if s.Problem != "" {
		published += "; the last attempt: " + s.Problem
	}
	row("Descriptor", "%s", published)
}

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
	Epoch     uint64        `json:"epoch"`     // of the root that is in use; 0: none
	Signed    int           `json:"signed_by"` // signers of that root
	Signers   int           `json:"signers"`   // that there are
	Age       float64       `json:"age_s"`     // since mirrors agreed on a root; negative: not yet
	Problem   string        `json:"problem,omitempty"`
	Clock     string        `json:"clock,omitempty"` // by how much this machine's is off, as mirrors say
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
func NewDirectoryStatus(client *Signed, snap *directory.Snapshot) *DirectoryStatus {
	c := client.Status()
	s := &DirectoryStatus{
		Epoch: c.Epoch, Signers: client.signers, Age: -1, Problem: Problem(c), Clock: c.Clock, Nodes: snap.Len(), Relays: len(snap.Relays()),
		Providers: len(providers(snap)), Models: []ModelStatus{},
	}
	if b := client.Store.Newest(); b != nil && b.Root.Epoch == c.Epoch {
		s.Signed = len(b.Root.Signatures)
	}
	if age, ok := c.Age(time.Now()); ok {
		s.Age = age.Seconds()
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
	case s.Nodes > 0:
		age = "not fetched since the start"
	}
	if s.Epoch > 0 {
		age = fmt.Sprintf("root of epoch %d, signed by %d of %d, %s", s.Epoch, s.Signed, s.Signers, age)
	}
	if s.Problem != "" {
		age += "; the last attempt: " + s.Problem
	}
	row("Directory", "%s, %s, %s", app.Count(s.Relays, "relay"), app.Count(s.Providers, "provider"), age)
	if s.Clock != "" {
		row("CLOCK", "%s: set it right, if it is not theirs that are wrong", s.Clock)
	}
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
