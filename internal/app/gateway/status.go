package gateway

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/evmrpc"
	"github.com/culvert-net/culvert/internal/app/node"
	"github.com/culvert-net/culvert/internal/app/onchain"
	"github.com/culvert-net/culvert/internal/app/selling"
)

// Status is what a gateway says of itself to its owner. It names nobody whose
// circuits pass here.
type Status struct {
	node.Status
	Chain   *onchain.Status `json:"chain,omitempty"`   // that it is paid on
	Backend *BackendStatus  `json:"backend,omitempty"` // of a provider
	Selling *selling.Status `json:"selling,omitempty"` // of one that is paid
	Money   *MoneyStatus    `json:"money,omitempty"`   // of one with a chain

	// Desk is of one that passes questions about the chain on.
	Desk *evmrpc.DeskStatus `json:"chain_rpc,omitempty"`
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
	s := &Status{Status: node.Status{
		Program: program, Version: app.Version(), Started: g.started, Name: g.cfg.Node.Name, Roles: g.cfg.Node.Roles,
		Seed: g.isSeed(), Addrs: g.addrs(), StatusURL: g.statusURL, World: node.NewWorldStatus(g.world),
	}}
	s.Served(g.host, g.directory, g.known.Snapshot(), g.relay, g.ready())
	s.Chain, s.Desk = g.chain.Status(), g.deskStatus()
	if g.models != nil {
		s.Backend = &BackendStatus{Kind: g.cfg.Provider.Backend, URL: g.cfg.Provider.URL}
		s.Backend.Models, s.Backend.Alive, s.Backend.Problem = g.models.status()
	}
	s.Money = g.money.status()
	if g.seller != nil {
		sells := g.seller.Status()
		s.Selling = &sells
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
	if err := g.unsold(); err != nil {
		missing = append(missing, err)
	}
	if len(g.addrs()) == 0 {
		missing = append(missing, errors.New("this node has no address that others could reach: "+node.Remedy))
	} else if !g.directory.Published().Described {
		missing = append(missing, errors.New("this node's descriptor is not made yet"))
	}
	if d := g.directory.Published(); d.Seeds > 0 && d.Told == 0 && !g.isSeed() {
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
	s.Rows(row)
	s.Chain.Rows(row)
	deskRows(s.Desk, row)
	row("Circuits", "%d open, %d made, %d passed on, %d refused", s.Circuits.Circuits, s.Circuits.Created, s.Circuits.Extended, s.Circuits.Refused)
	if b := s.Backend; b != nil {
		state := "answers"
		if !b.Alive {
			state = strings.TrimSuffix("DOES NOT ANSWER: "+b.Problem, ": ")
		}
		what := b.Kind
		if b.URL != "" { // the mock has none
			what += " " + b.URL
		}
		row("Backend", "%s, %s", what, state)
		row("Serves", "%s", strings.Join(b.Models, ", "))
	}
	s.Money.rows(row)
	if p := s.Selling; p != nil {
		row("Paid", "%s", strings.TrimSuffix(fmt.Sprintf("as %s; %s on price sheet %d; %s", p.Provider, app.Count(p.Models, "model"), p.Sequence, p.Problem), "; "))
	}
	return w.Flush()
}
