package observer

import (
	"cmp"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/member"
)

func showCommand(data func() (string, error)) *cobra.Command {
	asJSON := false
	cmd := &cobra.Command{
		Use:   "show",
		Short: "Show the world's members, and who waits to become one",
		Long: `show lists the world's members with their keys, what waits for approvals, invites that this
observer gave out, other rules that members endorse, and, if the roster has forked, the
branches to choose from.`,
		Example: `  observer world show
  observer world show --json | jq '.members[].key'`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			dir, err := data()
			if err != nil {
				return err
			}
			s, err := ask(cmd, dir, member.Show(), member.None{})
			if err != nil {
				return err
			}
			if asJSON {
				return app.PrintJSON(cmd.OutOrStdout(), s)
			}
			return printShown(cmd.OutOrStdout(), &s)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func printShown(out io.Writer, s *member.Shown) error {
	w, row := app.Rows(out)
	row("World", "%s (%.8s), mode %s", s.Phrase, s.World, s.Mode)
	row("Founders", "%d, of whom %d decide", len(s.Founders), s.FounderThreshold)
	row("Signers", "%d, of whom it takes %d", len(s.Signers), s.Threshold)
	row("Roster", "generation %d (%.8s), %s", s.Generation, s.Entry, app.Count(len(s.Members), "member"))
	if s.Problem != "" {
		row("Problem", "%s", s.Problem)
	}
	if s.Alarm != "" {
		row("ALARM", "%s", s.Alarm)
	}
	for _, b := range s.Branches {
		row("Branch", "%s, by %.8s", b.Entry, b.Proposer)
	}
	for _, r := range s.Rules {
		state, says := "not enough, or not for long enough", "not known here (observer world rules --keep FILE)"
		if r.Active {
			state = "ENOUGH: observer world fork"
		}
		if r.Known {
			says = cmp.Or(strings.Join(r.Changes, ", "), "this world's own")
		}
		row("Rules", "%s: %s", r.Hash, says)
		row("", "endorsed by %.0f %% of the operators, by enough for %s: %s", 100*r.Share, app.Count(int(r.For), "epoch"), state)
	}
	fmt.Fprint(w, "\nMEMBER\tROLE\tOPERATOR\tIS\n")
	for _, m := range s.Members {
		var is []string
		for _, x := range []struct {
			name string
			is   bool
		}{{"this node", m.Self}, {"founder", m.Founder}, {"signer", m.Signer}, {"PROVIDER", m.Provider}} {
			if x.is {
				is = append(is, x.name)
			}
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", m.Key, m.Role, m.Operator, strings.Join(is, ", "))
	}
	if len(s.Waiting) > 0 {
		fmt.Fprint(w, "\nWAITS\tTO\tROLE\tOPERATOR\tAPPROVALS MISSING\n")
	}
	for _, c := range s.Waiting {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\n", c.Key, c.Change, c.Role, c.By, c.Missing)
	}
	if len(s.Invites) > 0 {
		fmt.Fprint(w, "\nINVITE\tUNTIL\tROLE\tATTEMPTS LEFT\tUSED BY\n")
	}
	for _, i := range s.Invites {
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%.8s\n", i.ID, i.Expires.Local().Format("2006-01-02 15:04"), i.Role, i.Attempts, i.UsedBy)
	}
	return w.Flush()
}
