package app

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/culvert-net/culvert/internal/serve"
)

// StatusText is what the status command of a program says of itself.
type StatusText struct {
	Program, Long, Example string
	Short                  string // after "Show what the running PROGRAM is doing"
	Elsewhere              string // where else one may run, if no --data was given; "" says nothing
}

// StatusCommand is `status`: it asks the daemon of the data directory for an S and
// prints it.
func StatusCommand[S any](text StatusText, data func() (string, error), printTo func(*S, io.Writer) error) *cobra.Command {
	asJSON := false
	cmd := &cobra.Command{
		Use: "status", Short: "Show what the running " + text.Program + " is doing" + text.Short,
		Long: text.Long, Example: text.Example,
		RunE: func(cmd *cobra.Command, _ []string) error {
			dir, err := data()
			if err != nil {
				return err
			}
			var s S
			err = serve.Ask(cmd.Context(), filepath.Join(dir, serve.AdminSocket), "/status", &s)
			if errors.Is(err, serve.ErrNoDaemon) {
				return NotRunning(text.Program, NewLines(cmd, dir), dir, text.Elsewhere)
			}
			if err != nil {
				return NotReady(err)
			}
			if asJSON {
				return PrintJSON(cmd.OutOrStdout(), s)
			}
			return printTo(&s, cmd.OutOrStdout())
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// NotRunning says how to start a daemon, and where else one may run.
func NotRunning(program string, lines Lines, dir, elsewhere string) error {
	text := fmt.Sprintf("no %s is running on %s; start one with: %s", program, dir, lines.Line("serve"))
	if elsewhere != "" && !lines.Named() {
		text += "; " + elsewhere
	}
	return NotReady(errors.New(text))
}

// PrintJSON is what --json prints of v.
func PrintJSON(out io.Writer, v any) error {
	e := json.NewEncoder(out)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// PrintJSONLine is PrintJSON for one of many, each on a line.
func PrintJSONLine(out io.Writer, v any) error { return json.NewEncoder(out).Encode(v) }

// Rows is a table of names and what belongs to them, for a person. Row adds a
// line; the writer is for tables below it, and Flush prints all.
func Rows(out io.Writer) (w *tabwriter.Writer, row func(name, format string, args ...any)) {
	w = tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	return w, func(name, format string, args ...any) { fmt.Fprintf(w, "%s\t%s\n", name, fmt.Sprintf(format, args...)) }
}
