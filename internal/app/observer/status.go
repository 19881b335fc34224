package observer

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/member"
	"github.com/culvert-net/culvert/internal/app/node"
)

// Status is what an observer says of itself to its owner. It names nobody whose
// circuits end here.
type Status struct {
	node.Status
	Clock  *float64       `json:"clock_ahead_s,omitempty"` // of this machine, of the seeds'; absent until one has answered
	Member *member.Status `json:"member"`
}

func (ob *observer) status() *Status {
	s := &Status{Member: ob.member.Status(), Status: node.Status{
		Program: program, Version: app.Version(), Started: ob.started, Name: ob.cfg.Node.Name, Roles: ob.cfg.Node.Roles,
		Seed: ob.isSeed(), Addrs: ob.addrs(), StatusURL: ob.statusURL, World: node.NewWorldStatus(ob.world),
	}}
	s.Served(ob.host, ob.directory, ob.set.Snapshot(), ob.relay, ob.ready())
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
	s.Rows(row)
	s.Member.Rows(row)
	if s.Clock != nil {
		row("Clock", "%s", clockText(time.Duration(*s.Clock*float64(time.Second))))
	}
	row("Circuits", "%d open, %d made, %d refused", s.Circuits.Circuits, s.Circuits.Created, s.Circuits.Refused)
	return w.Flush()
}
