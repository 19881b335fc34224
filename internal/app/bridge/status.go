package bridge

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/culvert-net/culvert/circuit"
	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/member"
	"github.com/culvert-net/culvert/internal/app/node"
	"github.com/culvert-net/culvert/internal/app/onchain"
	"github.com/culvert-net/culvert/mesh/directory"
)

// Modes of a bridge.
const (
	ModeWorld = "world" // every request through a circuit
	ModeLocal = "local" // straight to a server of one's own
)

// Status is what a bridge says of itself to its owner.
type Status struct {
	Program   string                `json:"program"`
	Version   string                `json:"version"`
	Started   time.Time             `json:"started"`
	Mode      string                `json:"mode"`
	Ready     bool                  `json:"ready"`
	Waiting   []string              `json:"waiting,omitempty"` // for what, if not ready
	BaseURLs  []string              `json:"base_urls"`
	StatusURL string                `json:"status_url,omitempty"`
	Upstream  string                `json:"upstream,omitempty"` // in local mode
	Keys      *KeysStatus           `json:"keys,omitempty"`
	World     *node.WorldStatus     `json:"world,omitempty"`
	Chain     *onchain.Status       `json:"chain,omitempty"`
	Money     *MoneyStatus          `json:"money,omitempty"` // nil: there is no chain
	Directory *node.DirectoryStatus `json:"directory,omitempty"`
	Circuits  []Circuit             `json:"circuits,omitempty"`
	Member    *member.Status        `json:"member,omitempty"` // nil: this bridge never asked to be one
}

// Circuit is one circuit, its hops by the names nodes give themselves.
type Circuit struct {
	ID       string   `json:"id"`    // as in X-Culvert-Circuit
	State    string   `json:"state"` // stem: lacks the provider; open: carries requests; members: ends at a member, for what members do
	Hops     []string `json:"hops"`  // entry first
	Streams  int      `json:"streams"`
	Requests int      `json:"requests"`
	Age      float64  `json:"age_s"`
}

func circuitStatus(all []circuit.Info, snap *directory.Snapshot) []Circuit {
	out := make([]Circuit, 0, len(all))
	for _, c := range all {
		state := c.State
		if state == stateOpen && !toProvider(c, snap) {
			state = stateMembers
		}
		out = append(out, Circuit{
			ID: c.ID, State: state, Hops: c.Hops,
			Streams: c.Streams, Requests: c.Requests, Age: c.Age.Seconds(),
		})
	}
	return out
}

func statusCommand(data func() (string, error)) *cobra.Command {
	return app.StatusCommand(app.StatusText{
		Program: program, Short: ", and over whom requests go",
		Long: `status asks the bridge that runs on this data directory, through a socket that
only you can open. Node names are what nodes call themselves; two may have the same.`,
		Example: `  bridge status
  bridge status --json | jq '.circuits[].hops'`,
		// That of the sandbox has a data directory of its own.
		Elsewhere: "or name the data directory of the one that runs, as in the line that make run prints: --data DIR",
	}, data, (*Status).print)
}

// print writes the status for a person.
func (s *Status) print(out io.Writer) error {
	w, row := app.Rows(out)
	row("API", "%s", strings.Join(s.BaseURLs, "  "))
	if s.StatusURL != "" {
		row("Status page", "%s/status", s.StatusURL)
	}
	if s.Mode == ModeLocal {
		row("Mode", "LOCAL: no circuit, nothing is hidden from %s", s.Upstream)
	} else {
		row("Mode", "world: every request goes through a circuit")
	}
	if s.Ready {
		row("Ready", "yes")
	} else {
		row("Ready", "no: %s", strings.Join(s.Waiting, "; "))
	}
	s.Keys.rows(row)
	s.World.Rows(row)
	s.Chain.Rows(row)
	s.Money.rows(row)
	s.Directory.Rows(row)
	switch {
	case s.Member != nil:
		s.Member.Rows(row)
	case s.Mode == ModeWorld:
		row("Member", "no: providers are chosen without what members know of them")
	}
	if len(s.Circuits) > 0 {
		fmt.Fprintf(w, "\nCIRCUIT\tSTATE\tHOPS\tSTREAMS\tREQUESTS\tAGE\n")
	}
	for _, c := range s.Circuits {
		age := (time.Duration(c.Age) * time.Second).String()
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%d\t%s\n", c.ID, c.State, strings.Join(c.Hops, " > "), c.Streams, c.Requests, age)
	}
	return w.Flush()
}
