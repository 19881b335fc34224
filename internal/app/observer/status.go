package observer

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/culvert-net/culvert/circuit"
	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/member"
	"github.com/culvert-net/culvert/internal/app/node"
	"github.com/culvert-net/culvert/mesh"
)

// Status is what an observer says of itself to its owner. It names nobody whose
// circuits end here.
type Status struct {
	Program   string                `json:"program"`
	Version   string                `json:"version"`
	Started   time.Time             `json:"started"`
	Name      string                `json:"name"`
	ID        string                `json:"id"` // as others show a node without a name
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
	Clock     *float64              `json:"clock_ahead_s,omitempty"` // of this machine, of the seeds'; absent until one has answered
	World     *node.WorldStatus     `json:"world"`
	Directory *node.DirectoryStatus `json:"directory"`
	Member    *member.Status        `json:"member"`
	Circuits  circuit.RelayStats    `json:"circuits"`
	Links     int                   `json:"links"`
	Refused   map[string]uint64     `json:"refused,omitempty"` // by limit
}

func (ob *observer) status() *Status {
	err := ob.ready()
	d := ob.directory.Published()
	links := ob.host.Stats()
	s := &Status{
		Program: program, Version: app.Version(), Started: ob.started,
		Name: ob.cfg.Node.Name, ID: node.ShortID(ob.host.Key()), PeerID: mesh.PeerID(ob.host.Key()), Roles: ob.cfg.Node.Roles, Seed: ob.isSeed(),
		Ready: err == nil, Waiting: node.Reasons(err), Addrs: ob.addrs(), StatusURL: ob.statusURL,
		Published: d.Told, Seeds: d.Seeds, Problem: d.Problem,
		World: node.NewWorldStatus(ob.world), Directory: node.NewDirectoryStatus(ob.directory, ob.set.Snapshot()),
		Member: ob.member.Status(), Circuits: ob.relay.Stats(), Links: links.Links, Refused: links.Refused,
	}
	if ahead, known := ob.clock.Ahead(); known {
		seconds := ahead.Seconds()
		s.Clock = &seconds
	}
	return s
}

// ready is nil when others can find this node and it does what it says.
func (ob *observer) ready() error {
	var missing []error
	if len(ob.addrs()) == 0 {
		missing = append(missing, errors.New("this node has no address that others could reach: "+node.Remedy))
	} else if _, known := ob.set.Snapshot().Node(ob.host.Key()); !known {
		missing = append(missing, errors.New("this node's descriptor is not made yet"))
	}
	if d := ob.directory.Published(); d.Seeds > 0 && d.Told == 0 && !ob.isSeed() {
		missing = append(missing, errors.New("no seed has taken this node's descriptor yet"))
	}
	if err := ob.member.Ready(); err != nil {
		missing = append(missing, err)
	}
	if ob.clock.Off() {
		ahead, _ := ob.clock.Ahead()
		missing = append(missing, errors.New("this machine's clock "+clockText(ahead)+": set it right"))
	}
	return errors.Join(missing...)
}

// clockText says by how much a clock is off, as exactly as that matters.
func clockText(ahead time.Duration) string {
	way, off := "ahead of", ahead.Abs()
	if ahead < 0 {
		way = "behind"
	}
	if off < time.Minute {
		return fmt.Sprintf("is %v %s those of the world's seeds", off.Round(time.Millisecond), way)
	}
	return fmt.Sprintf("is %v %s those of the world's seeds", off.Round(time.Second), way)
}

func statusCommand(data func() (string, error)) *cobra.Command {
	return app.StatusCommand(app.StatusText{
		Program: program,
		Long: `status asks the observer that runs on this data directory, through a socket that
only you can open: whether it is a member, how much it remembers, and how it syncs
with other members.`,
		Example: `  observer status
  observer status --json | jq .member.log`,
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
	s.Member.Rows(row)
	s.Directory.Rows(row)
	published := fmt.Sprintf("known to %d of %s", s.Published, app.Count(s.Seeds, "other seed"))
	if s.Problem != "" {
		published += "; the last attempt: " + s.Problem
	}
	row("Descriptor", "%s", published)
	if s.Clock != nil {
		row("Clock", "%s", clockText(time.Duration(*s.Clock*float64(time.Second))))
	}
	row("Circuits", "%d open, %d made, %d refused", s.Circuits.Circuits, s.Circuits.Created, s.Circuits.Refused)
	return w.Flush()
}
