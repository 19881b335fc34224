package gateway

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/culvert-net/culvert/circuit"
	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/node"
	"github.com/culvert-net/culvert/mesh"
)

// Status is what a gateway says of itself to its owner. It names nobody whose
// circuits pass here.
type Status struct {
	Program   string                `json:"program"`
	Version   string                `json:"version"`
	Started   time.Time             `json:"started"`
	Name      string                `json:"name"`
	ID        string                `json:"id"` // as bridges show a node without a name
	PeerID    string                `json:"peer_id"`
	Roles     []string              `json:"roles"`
	Seed      bool                  `json:"seed"`
	Ready     bool                  `json:"ready"`
	Waiting   []string              `json:"waiting,omitempty"` // for what, if not ready
	Addrs     []string              `json:"addrs"`
	StatusURL string                `json:"status_url,omitempty"`
	Published int                   `json:"published_to"` // seeds that know what is said here
	Seeds     int                   `json:"seeds"`        // others that there are
	Problem   string                `json:"publish_problem,omitempty"`
	World     *node.WorldStatus     `json:"world"`
	Directory *node.DirectoryStatus `json:"directory"`
	Circuits  circuit.RelayStats    `json:"circuits"`
	Links     int                   `json:"links"`
	Refused   map[string]uint64     `json:"refused,omitempty"` // by limit
	Backend   *BackendStatus        `json:"backend,omitempty"` // of a provider
}

// BackendStatus is what a provider knows of its model server.
type BackendStatus struct {
	Kind    string   `json:"kind"` // openai or mock
	URL     string   `json:"url,omitempty"`
	Alive   bool     `json:"alive"`
	Problem string   `json:"problem,omitempty"` // why it is not
	Models  []string `json:"models"`
}

func (g *gateway) status() *Status {
	err := g.ready()
	d := g.directory.Status()
	links := g.host.Stats()
	s := &Status{
		Program: program, Version: app.Version(), Started: g.started,
		Name: g.cfg.Node.Name, ID: node.ShortID(g.host.Key()), PeerID: mesh.PeerID(g.host.Key()), Roles: g.cfg.Node.Roles, Seed: g.isSeed(),
		Ready: err == nil, Waiting: node.Reasons(err), Addrs: g.addrs(), StatusURL: g.statusURL,
		Published: d.PublishedTo, Seeds: d.Seeds, Problem: d.PublishError,
		World: node.NewWorldStatus(g.world), Directory: node.NewDirectoryStatus(g.directory, g.known.Snapshot()),
		Circuits: g.relay.Stats(), Links: links.Links, Refused: links.Refused,
	}
	if g.models != nil {
		s.Backend = &BackendStatus{Kind: g.cfg.Provider.Backend, URL: g.cfg.Provider.URL}
		s.Backend.Models, s.Backend.Alive, s.Backend.Problem = g.models.status()
	}
	return s
}

// ready is nil when others can find this node and it does what it says.
func (g *gateway) ready() error {
	var missing []error
	if g.models != nil {
		switch ids, alive, problem := g.models.status(); {
		case problem != "":
			missing = append(missing, fmt.Errorf("the model server does not list its models: %s", problem))
		case !alive || len(ids) == 0:
			missing = append(missing, errors.New("the model server does not list a model"))
		}
	}
	if len(g.addrs()) == 0 {
		missing = append(missing, errors.New("this node has no address that others could reach: "+node.Remedy))
	} else if !g.described() {
		missing = append(missing, errors.New("this node's descriptor is not made yet"))
	}
	if d := g.directory.Status(); d.Seeds > 0 && d.PublishedTo == 0 && !g.isSeed() {
		missing = append(missing, errors.New("no seed has taken this node's descriptor yet"))
	}
	return errors.Join(missing...)
}

func statusCommand(data func() (string, error)) *cobra.Command {
	return app.StatusCommand(app.StatusText{
		Program: program,
		Long: `status asks the gateway that runs on this data directory, through a socket that
only you can open. It counts circuits and names none of their users: a relay does
not know them.`,
		Example: `  gateway status
  gateway status --json | jq .backend`,
	}, data, (*Status).print)
}

// print writes the status for a person.
func (s *Status) print(out io.Writer) error {
	w, row := app.Rows(out)
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
	row("Circuits", "%d open, %d made, %d passed on, %d refused", s.Circuits.Circuits, s.Circuits.Created, s.Circuits.Extended, s.Circuits.Refused)
	if b := s.Backend; b != nil {
		state := "answers"
		if !b.Alive {
			state = strings.TrimSuffix("DOES NOT ANSWER: "+b.Problem, ": ")
		}
		row("Backend", "%s %s, %s", b.Kind, b.URL, state)
		row("Serves", "%s", strings.Join(b.Models, ", "))
	}
	return w.Flush()
}
