package observer

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/member"
)

// refusedText lists refusals by their reasons.
func refusedText(refused map[string]int) string {
	var all []string
	for _, reason := range slices.Sorted(maps.Keys(refused)) {
		all = append(all, fmt.Sprintf("%d %s", refused[reason], reason))
	}
	if len(all) == 0 {
		return ""
	}
	return ", refused: " + strings.Join(all, ", ")
}

func syncCommand(data func() (string, error)) *cobra.Command {
	var in member.SyncIn
	asJSON := false
	cmd := &cobra.Command{
		Use:   "sync",
		Short: "Compare the log with other members' now",
		Long: `sync runs a round of repair now, which the observer does by itself every few minutes: it
finds out with some members what differs between the logs, and both sides fetch what
they lack. It prints what that took.`,
		Example: `  observer sync
  observer sync --peer 3f9a1c07`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			dir, err := data()
			if err != nil {
				return err
			}
			r, err := ask(cmd, dir, member.Sync(), in)
			if err != nil {
				return err
			}
			if asJSON {
				return app.PrintJSON(cmd.OutOrStdout(), r)
			}
			w, _ := app.Rows(cmd.OutOrStdout())
			fmt.Fprint(w, "MEMBER\tFOUND BY\tLACKED HERE\tLACKED THERE\tFETCHED\tSENT\tBYTES\tROUND TRIPS\tPROBLEM\n")
			for _, p := range r.Partners {
				fmt.Fprintf(w, "%.8s\t%s\t%d\t%d\t%d\t%d\t%d\t%d\t%s\n", p.Key, p.Mode, p.Theirs, p.Ours, p.Added, p.Sent, p.Bytes, p.Trips, p.Error)
			}
			if len(r.Partners) == 0 {
				fmt.Fprintln(w, "(no member to sync with)")
			}
			fmt.Fprintf(w, "\nTook %.2f s.\n", r.Seconds)
			return w.Flush()
		},
	}
	cmd.Flags().StringVar(&in.Peer, "peer", "", "with this member alone: its key, or the beginning of it")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func terrainCommand(data func() (string, error)) *cobra.Command {
	asJSON := false
	cmd := &cobra.Command{
		Use:   "terrain",
		Short: "Show the map of the epoch, as members see it",
		Long: `terrain shows where members stand in this epoch: each at a place that only members can
compute, and that nobody can choose. A member repairs its log with those that are nearest,
and some at random. The phrase is the place in words.`,
		Example: `  observer terrain
  observer terrain --json | jq -r .self.phrase`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			dir, err := data()
			if err != nil {
				return err
			}
			m, err := ask(cmd, dir, member.Terrain(), member.None{})
			if err != nil {
				return err
			}
			if asJSON {
				return app.PrintJSON(cmd.OutOrStdout(), m)
			}
			w, row := app.Rows(cmd.OutOrStdout())
			row("Epoch", "%d", m.Epoch)
			if m.Self != nil {
				row("This node", "%s", m.Self.Phrase)
			}
			fmt.Fprint(w, "\nREGION\tCHUNK\tCELL\tMEMBER\n")
			for _, p := range m.Places {
				own := ""
				if m.Self != nil && p.Key == m.Self.Key {
					own = " (this node)"
				}
				fmt.Fprintf(w, "%s\t%s\t%d\t%.8s%s\n", p.Region, p.Chunk, p.Cell, p.Key, own)
			}
			return w.Flush()
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}
