package devchain

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/devchain/ready"
)

// Status is what a running chain says of itself.
type Status struct {
	Program string    `json:"program"`
	Version string    `json:"version"`
	Started time.Time `json:"started"`
	ready.File
	Head    uint64    `json:"head"`    // number of the newest block
	Time    time.Time `json:"time"`    // of that block, which may be ahead of the machine's
	Waiting int       `json:"waiting"` // transactions whose fee is too low for now
}

func (c *Chain) status(started time.Time) *Status {
	s := &Status{Program: program, Version: app.Version(), Started: started, File: c.file}
	s.Head, s.Time = c.Head()
	s.Waiting, _ = c.eth.TxPool().Stats()
	return s
}

func statusCommand(data func() (string, error)) *cobra.Command {
	return app.StatusCommand(app.StatusText{
		Program: program,
		Long: `status asks the devchain that runs on this data directory, through a socket that
only you can open.`,
		Example: `  devchain status
  devchain status --json | jq .head`,
	}, data, (*Status).print)
}

// print writes the status for a person.
func (s *Status) print(out io.Writer) error {
	w, row := app.Rows(out)
	row("Chain", "%d at %s, since %s UTC", s.ChainID, s.RPC, s.Started.Format(time.DateTime))
	at := s.Time.Format(time.DateTime) + " UTC"
	if ahead := time.Until(s.Time).Truncate(time.Second); ahead > 0 {
		at += fmt.Sprintf(", %v ahead of this machine's clock", ahead)
	}
	row("Newest block", "%d, %s", s.Head, at)
	row("Waiting", "%s", app.Count(s.Waiting, "transaction"))
	row("Market", "%v, since block %d", s.Market.Address, s.Market.Block)
	row("Its code", "%v", s.Market.CodeHash)
	row("Accounts", "%d, with published keys", len(s.Accounts))
	return w.Flush()
}

// introduce says what is on the chain.
func introduce(out io.Writer, f *ready.File) error {
	var b strings.Builder
	fmt.Fprintf(&b, `A chain for trying and testing. Its money is worth nothing.

JSON-RPC     %s
Chain id     %d
Market       %v, since block %d
Its code     %v (Keccak-256)

WARNING: THE KEYS BELOW ARE PUBLISHED. EVERYBODY KNOWS THEM. Whatever is sent to
these accounts on any other chain is stolen within seconds.

Account                                     Its published key
`, f.RPC, f.ChainID, f.Market.Address, f.Market.Block, f.Market.CodeHash)
	for _, a := range f.Accounts {
		fmt.Fprintf(&b, "%v  %s\n", a.Address, a.Key)
	}
	fmt.Fprintf(&b, "\nEach had %d coins in the beginning. Stop with Ctrl-C.\n", coins)
	_, err := io.WriteString(out, b.String())
	return err
}
