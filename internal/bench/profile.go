package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/bench/layers"
	"github.com/culvert-net/culvert/internal/bench/load"
)

// profileCommand says where the programs' CPU time goes.
func profileCommand() *cobra.Command {
	o := options{only: []string{"seq", "c64", "paced64", "down"}, rows: []string{string(rowLocal), string(rowKey)}, duration: 8 * time.Second}
	cmd := &cobra.Command{
		Use:   "profile",
		Short: "Say where the CPU time of a request, or of a token, goes, by layer",
		Long: `profile puts one load after the other on programs of ours, takes a CPU profile of
each meanwhile, and gives each sample to the layer of its innermost frame: what
copies for the circuits is the circuits', a system call is the sockets'. A hundred
samples are taken in a second of CPU: the smaller a figure, the longer it takes to
know it.

Rows and groups are those of bench --help, but only rows of ours, and not the
groups of llama: there that server's habits would be measured. Of many, it is a time.`,
		Example: `  # What one client, 64 clients, slow streams and a large answer cost: a minute.
  bench profile

  # What a token costs through three hops, in finer figures.
  bench profile --only paced64 --rows key --duration 20s

  # For the record, where a change is read from.
  bench profile --only seq,c64,paced64,flood,down --rows local,key,new --history docs/bench`,
		RunE: func(cmd *cobra.Command, _ []string) error { return o.profile(cmd) },
	}
	f := cmd.Flags()
	f.DurationVar(&o.duration, "duration", o.duration, "how long each load is profiled; whole seconds")
	f.StringSliceVar(&o.only, "only", o.only, "groups, separated by commas")
	f.StringSliceVar(&o.rows, "rows", o.rows, "rows of ours, separated by commas: local, key, paid, paid-memory, new")
	f.StringVar(&o.history, "history", "", "write the tables to profile.md in this directory, in place of those that are there")
	f.StringVar(&o.bin, "bin", "", "directory of bridge and gateway (default: this program's own)")
	f.StringVar(&o.commit, "commit", app.Version(), "what the programs were built from, for the record")
	return cmd
}

func (o *options) profile(cmd *cobra.Command) error {
	chosen, err := o.profiles()
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
	c.debug = true
	for _, r := range rows {
		if slices.Contains(o.rows, string(r)) {
			c.rows = append(c.rows, r)
		}
	}
	var s stage
	defer s.close()
	if err := s.open(cmd.Context(), c); err != nil {
		return app.NotReady(err)
	}
	var b strings.Builder
	m := thisMachine(o.commit)
	fmt.Fprintf(&b, "%s\n\nMicroseconds of CPU, by layer and program; %v a load.\n", m.line(), o.duration)
	for _, g := range chosen {
		for _, r := range g.rows {
			c.say("profiling: %s, %s", g.name, r.title())
			text, err := o.profiled(cmd.Context(), &s, g, r)
			if err != nil {
				// Of a run that was ended, what there is.
				fmt.Fprint(cmd.OutOrStdout(), b.String())
				return err
			}
			fmt.Fprintf(&b, "\n%s: %s (%s)\n\n%s", r.title(), g.title, g.name, text)
		}
	}
	fmt.Fprint(cmd.OutOrStdout(), b.String())
	if o.history == "" {
		return nil
	}
	if err := os.WriteFile(filepath.Join(o.history, "profile.md"), []byte("# Where CPU time goes\n\n"+b.String()), 0o644); err != nil {
		return fmt.Errorf("--history: %w", err)
	}
	return nil
}

// profiles is which groups are profiled, with their rows. What cannot be is an
// error here, before any program starts.
func (o *options) profiles() ([]*group, error) {
	// A profile is of whole seconds, and its CPU is divided by the answers of as long.
	if o.duration < time.Second || o.duration%time.Second != 0 {
		return nil, fmt.Errorf("--duration %v: whole seconds, at least 1s", o.duration)
	}
	var can []*group
	for _, g := range groups() {
		if !g.llama {
			can = append(can, g)
		} else if slices.Contains(o.only, g.name) {
			return nil, fmt.Errorf("--only %s: that server's habits would be measured, not the programs", g.name)
		}
	}
	chosen, err := choose(can, o.only, o.rows)
	if err != nil {
		return nil, err
	}
	if len(o.only) == 0 {
		return nil, fmt.Errorf("--only: no group is named; there are %s", strings.Join(names(can), ", "))
	}
	if len(o.rows) == 0 || slices.ContainsFunc(o.rows, func(name string) bool { return !row(name).product() }) {
		return nil, fmt.Errorf("--rows %s: only programs of ours are profiled: local, key, new", strings.Join(o.rows, ","))
	}
	return chosen, nil
}

// profiled is the table of one row under one load.
func (o *options) profiled(ctx context.Context, s *stage, g *group, r row) (string, error) {
	sub := s.subjects[r]
	l := g.load
	l.Warm, _ = g.times(2 * maxWarm)
	l.Duration = o.duration
	spent := make([]map[layers.Layer]time.Duration, len(sub.programs))
	failed := make([]error, len(sub.programs))
	var taking sync.WaitGroup
	l.Begin = func() {
		for i, p := range sub.programs {
			taking.Go(func() { spent[i], failed[i] = takeProfile(ctx, p.debug, o.duration) })
		}
	}
	l.End = taking.Wait
	got := load.Run(ctx, sub.addr, l)
	if ctx.Err() != nil {
		return "", context.Cause(ctx)
	}
	if err := errors.Join(append(failed, s.alive())...); err != nil {
		return "", err
	}
	if got.Wrong+got.Cut+got.Failed > 0 || got.Answers+int(got.Chunks) == 0 {
		return "", fmt.Errorf("%w: %s, %s: %s", errBad, g.name, r.title(), strings.Join(got.Why, "; "))
	}
	per, unit := float64(got.Answers), "an answer"
	if l.Stream {
		per, unit = float64(got.Chunks), "a token"
	}
	return layerTable(sub.programs, spent, per, unit), nil
}

// takeProfile asks a program's debug server for a CPU profile.
func takeProfile(ctx context.Context, server string, d time.Duration) (map[layers.Layer]time.Duration, error) {
	url := server + "/debug/pprof/profile?seconds=" + strconv.Itoa(int(d.Seconds()))
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, fmt.Errorf("taking a profile: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("taking a profile: the debug server answered %s", resp.Status)
	}
	return layers.Read(io.LimitReader(resp.Body, maxProfile))
}

// maxProfile is far more than the profile of some seconds has.
const maxProfile = 64 << 20

// layerTable has a line for each layer and a column for each program.
func layerTable(programs []program, spent []map[layers.Layer]time.Duration, per float64, unit string) string {
	head := []string{"CPU µs for " + unit}
	for _, p := range programs {
		head = append(head, p.name)
	}
	several := len(programs) > 1
	if several {
		head = append(head, "together")
	}
	t := [][]string{head}
	sums := make([]time.Duration, len(head)-1)
	line := func(title string, of func(program int) time.Duration) {
		text := []string{title}
		var all time.Duration
		for i := range programs {
			d := of(i)
			all += d
			text = append(text, show(float64(d.Microseconds())/per, true))
		}
		if several {
			text = append(text, show(float64(all.Microseconds())/per, true))
		}
		t = append(t, text)
	}
	for _, layer := range layers.All {
		line(string(layer), func(i int) time.Duration {
			sums[i] += spent[i][layer]
			return spent[i][layer]
		})
	}
	line("all", func(i int) time.Duration { return sums[i] })
	return markdown(t)
}
