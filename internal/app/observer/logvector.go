package observer

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/member"
)

func vectorCommand(data func() (string, error)) *cobra.Command {
	asJSON := false
	cmd := &cobra.Command{
		Use:   "vector",
		Short: "Show this node's counters in the version vector",
		Long: `vector shows how many events this node has brought into the log in each of the last
epochs, under the id that it has as a replica in that epoch. It is this node's part of what
the reference calls a version vector. Members do not send it to one another, so nobody
else's counters are in it: they compare their logs as sets (observer sync).`,
		Example: `  observer log vector`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			dir, err := data()
			if err != nil {
				return err
			}
			v, err := ask(cmd, dir, member.Vector(), member.None{})
			if err != nil {
				return err
			}
			if asJSON {
				return app.PrintJSON(cmd.OutOrStdout(), v)
			}
			w, _ := app.Rows(cmd.OutOrStdout())
			fmt.Fprint(w, "EPOCH\tREPLICA\tEVENTS\n")
			for _, e := range v.Entries {
				fmt.Fprintf(w, "%d\t%s\t%d\n", e.Epoch, e.Replica, e.Counter)
			}
			if len(v.Entries) == 0 {
				fmt.Fprintln(w, "(no event of this node in the last epochs)")
			}
			return w.Flush()
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}
