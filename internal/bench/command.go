package bench

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/bench/process"
)

// options is what the command line says.
type options struct {
	rounds   int
	duration time.Duration
	streams  int
	only     []string
	rows     []string
	json     string
	history  string
	bin      string
	commit   string
}

// errBad is a run in which an answer was not right.
var errBad = errors.New("an answer was not right")

// Command is the program.
func Command() *cobra.Command {
	o := options{rounds: 3, duration: 2 * time.Second, streams: 10_000}
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Measure a bridge, and a request through three hops, from end to end",
		Long: `bench starts a mock model server and every way to it that is compared, each
program a process of its own, asks for chats, looks at every token of every
answer, and prints tables and the figures that are to be reached beside those that
were. Progress goes to stderr, the result to stdout.

Rows are ways to the upstream:
  upstream  nothing between: what client and model server need themselves
  proxy     Go's ReverseProxy
  local     bridge serve --upstream: a bridge without a world
  floor     four programs in a row without any cryptography
  key       bridge, entry, middle, provider; isolation by key: warm circuits
  new       the same, each request another conversation, so on a new circuit

Groups are kinds of load:
  seq, c16, c64   answers of 32 tokens in one piece, for 1, 16 and 64 clients
  stream16        16 streams of 200 tokens/s
  paced64         64 streams of 50 tokens/s
  flood           32 streams as fast as they come
  many            short streams for 16 clients, as many as --streams says
  down, up        8 MiB in the answer, in the prompt
  llama, llama-stream   an upstream with the habits of llama-server

Rows take turns, round by round; figures are medians of rounds. A figure that
misses its bar is no failure. An answer that is wrong, cut or not there is: exit 1.`,
		Example: `  # Everything, some eight minutes.
  bench

  # What a change to the local path did, in one minute.
  bench --only seq,c64,flood --rows upstream,proxy,local

  # Is everything right? No figure means much after so short a time.
  bench --rounds 1 --duration 200ms --streams 500

  # For the record.
  bench --history docs/bench --json figures.json`,
		Version: app.Version(),
		RunE:    func(cmd *cobra.Command, _ []string) error { return o.run(cmd) },
	}
	f := cmd.Flags()
	f.IntVar(&o.rounds, "rounds", o.rounds, "how often each row has its turn in each group")
	f.DurationVar(&o.duration, "duration", o.duration, "how long a turn is measured; up to half a second passes before, for paced streams a whole one")
	f.IntVar(&o.streams, "streams", o.streams, "number of streams in the group many")
	f.StringSliceVar(&o.only, "only", nil, "groups, separated by commas (default: all)")
	f.StringSliceVar(&o.rows, "rows", nil, "rows, separated by commas (default: all); without upstream and proxy there is nothing to compare with")
	f.StringVar(&o.json, "json", "", "write everything that was measured to this file")
	f.StringVar(&o.history, "history", "", "write the tables to this directory, in place of today's that are there")
	f.StringVar(&o.bin, "bin", "", "directory of bridge and gateway (default: this program's own)")
	f.StringVar(&o.commit, "commit", app.Version(), "what the programs were built from, for the record")
	cmd.AddCommand(append(participants(), profileCommand())...)
	return cmd
}

func (o *options) run(cmd *cobra.Command) error {
	switch {
	case o.rounds < 1:
		return app.Usage(errors.New("--rounds: at least 1"))
	case o.duration < 50*time.Millisecond:
		return app.Usage(errors.New("--duration: at least 50ms"))
	case o.streams < 1:
		return app.Usage(errors.New("--streams: at least 1"))
	}
	chosen, err := choose(groups(), o.only, o.rows)
	if err != nil {
		return app.Usage(err)
	}
	if err := o.place(); err != nil {
		return app.Usage(err)
	}
	c, remove, err := o.stage(cmd)
	if err != nil {
		return err
	}
	defer remove()
	p := &plan{groups: chosen, rounds: o.rounds, duration: o.duration, streams: o.streams, commit: o.commit, staging: c}
	res, err := p.run(cmd.Context())
	if len(res.Cells) == 0 {
		return err
	}
	// Of a run that was ended, what there is.
	res.Bars = bars(res)
	text := report(res, chosen)
	fmt.Fprint(cmd.OutOrStdout(), text)
	if err != nil {
		return err
	}
	if o.json != "" {
		err = errors.Join(err, writeJSON(o.json, res))
	}
	if o.history != "" {
		err = errors.Join(err, writeHistory(o.history, res, text))
	}
	return errors.Join(err, res.judge(chosen))
}

// stage is where programs are started for a command, and what removes their
// data.
func (o *options) stage(cmd *cobra.Command) (staging, func(), error) {
	self, err := os.Executable()
	if err != nil {
		return staging{}, nil, fmt.Errorf("finding this program: %w", err)
	}
	if o.bin == "" {
		o.bin = filepath.Dir(self)
	}
	for _, name := range []string{"bridge", "gateway"} {
		if _, err := process.FindIn(o.bin, name); err != nil {
			return staging{}, nil, app.Usage(err)
		}
	}
	dir, err := os.MkdirTemp("", "culvert-bench-")
	if err != nil {
		return staging{}, nil, fmt.Errorf("making a directory for the programs' data: %w", err)
	}
	begun := time.Now()
	c := staging{self: self, bin: o.bin, dir: filepath.Join(dir, "d"), say: func(format string, args ...any) {
		fmt.Fprintf(cmd.ErrOrStderr(), "%4.0fs  %s\n", time.Since(begun).Seconds(), fmt.Sprintf(format, args...))
	}}
	return c, func() { _ = os.RemoveAll(dir) }, nil
}

// judge is an error if an answer was not right. What a program of others does
// with a server that closes connections unsaid is shown, and is not our fault.
// Ours closes none unsaid: that is an answer which never came, though the client
// asked again.
func (r *results) judge(groups []*group) error {
	var all error
	for _, g := range groups {
		for _, which := range g.rows {
			n, _ := r.count(g.name, which, bad)
			if n > 0 && (!g.llama || which.product()) {
				all = errors.Join(all, fmt.Errorf("%w: %s, %s: %d wrong, cut or failed", errBad, g.name, which.title(), n))
			}
			n, _ = r.count(g.name, which, func(c *cell) int { return c.Stale })
			if n > 0 && which.product() {
				all = errors.Join(all, fmt.Errorf("%w: %s, %s: %d connections closed in place of an answer", errBad, g.name, which.title(), n))
			}
		}
	}
	return all
}
