package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"slices"
	"time"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/bench/load"
	"github.com/culvert-net/culvert/internal/bench/process"
	"github.com/culvert-net/culvert/internal/bench/upstream"
)

// plan is what a run does.
type plan struct {
	groups   []*group
	rounds   int
	duration time.Duration // of a cell
	streams  int           // in a group that counts
	staging  staging       // without rows
	commit   string        // of the programs
}

// run carries out the plan. What was measured before an error is returned with
// it.
func (p *plan) run(ctx context.Context) (*results, error) {
	res := &results{Machine: thisMachine(p.commit), Rounds: p.rounds, Seconds: p.duration.Seconds()}
	for _, llama := range []bool{false, true} {
		var own []*group
		for _, g := range p.groups {
			if g.llama == llama {
				own = append(own, g)
			}
		}
		if len(own) == 0 {
			continue
		}
		if err := p.on(ctx, llama, own, res); err != nil {
			return res, err
		}
	}
	return res, nil
}

// on runs groups on one stage.
func (p *plan) on(ctx context.Context, llama bool, groups []*group, res *results) error {
	c := p.staging
	c.llama = llama
	if llama {
		c.dir += "-llama"
	}
	for _, r := range rows {
		if slices.ContainsFunc(groups, func(g *group) bool { return slices.Contains(g.rows, r) }) {
			c.rows = append(c.rows, r)
		}
	}
	s := &stage{}
	defer s.close()
	if err := s.open(ctx, c); err != nil {
		return app.NotReady(err)
	}
	var mem []*memory
	if !llama {
		var err error
		if mem, err = s.idle(); err != nil {
			return err
		}
		res.Memory = mem
	}
	chats := slices.ContainsFunc(groups, func(g *group) bool { return !g.bulk })
	inBulk := false
	for _, g := range groups {
		if g.bulk && !inBulk && chats {
			if err := readMemory(mem, s, func(m *memory, n int64) { m.Loaded = n }); err != nil {
				return err
			}
		}
		inBulk = g.bulk
		if err := p.group(ctx, s, g, res); err != nil {
			return err
		}
	}
	return readMemory(mem, s, func(m *memory, n int64) {
		if inBulk {
			m.Bulk = n
		} else {
			m.Loaded = n
		}
	})
}

// idle reads every program's memory before any load. It is of nobody where the
// system does not say.
func (s *stage) idle() ([]*memory, error) {
	if !process.Known() {
		return nil, nil
	}
	var all []*memory
	for _, r := range rows {
		sub, ok := s.subjects[r]
		if !ok {
			continue
		}
		for _, p := range sub.programs {
			all = append(all, &memory{Row: r, Program: p.name})
		}
	}
	return all, readMemory(all, s, func(m *memory, n int64) { m.Idle = n })
}

func readMemory(all []*memory, s *stage, set func(m *memory, n int64)) error {
	for _, m := range all {
		for _, p := range s.subjects[m.Row].programs {
			if p.name != m.Program {
				continue
			}
			n, err := process.Anon(p.pid)
			if err != nil {
				return err
			}
			set(m, n)
		}
	}
	return nil
}

// group runs one group: its rows in turn, round by round.
func (p *plan) group(ctx context.Context, s *stage, g *group, res *results) error {
	rounds := p.rounds
	if g.once {
		rounds = 1
	}
	for round := range rounds {
		for _, r := range g.rows {
			c, err := p.cell(ctx, s, g, r, round+1)
			if err != nil {
				return err
			}
			res.Cells = append(res.Cells, c)
			p.staging.say("%-12s %d/%d  %-28s %s", g.name, round+1, rounds, r.title(), progress(res, g, c))
			for _, why := range c.Why {
				p.staging.say("  %s", why)
			}
		}
	}
	return nil
}

// cell measures one row once.
func (p *plan) cell(ctx context.Context, s *stage, g *group, r row, round int) (*cell, error) {
	sub := s.subjects[r]
	l := g.load
	if g.count {
		l.Count = p.streams
	} else {
		l.Warm, l.Duration = g.times(p.duration)
	}
	before, err := s.stats(ctx)
	if err != nil {
		return nil, err
	}
	var u usage
	if process.Known() {
		l.Begin, l.End = func() { u.read(s, sub, -1) }, func() { u.read(s, sub, 1) }
	}
	got := load.Run(ctx, sub.addr, l)
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	// A program that ended is why anything else went wrong.
	if err := errors.Join(s.alive(), u.err); err != nil {
		return nil, err
	}
	after, err := s.stats(ctx)
	if err != nil {
		return nil, err
	}
	c := newCell(g, r, round, got)
	c.Figures[named] = float64(after.Naming - before.Naming)
	if process.Known() {
		u.share(c, got, sub)
	}
	return c, nil
}

// stats asks the upstream what came to it.
func (s *stage) stats(ctx context.Context) (upstream.Stats, error) {
	var st upstream.Stats
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.subjects[rowUpstream].addr+upstream.StatsPath, nil)
	if err != nil {
		return st, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return st, fmt.Errorf("asking the upstream what came: %w", err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return st, fmt.Errorf("asking the upstream what came: %w", err)
	}
	return st, json.Unmarshal(text, &st)
}

// usage is CPU time between two readings.
type usage struct {
	programs map[string]time.Duration
	upstream time.Duration
	client   time.Duration
	machine  time.Duration // of all programs there are
	err      error
}

// read adds what the programs have used so far, times sign.
func (u *usage) read(s *stage, sub *subject, sign time.Duration) {
	if u.programs == nil {
		u.programs = make(map[string]time.Duration)
	}
	for _, p := range sub.programs {
		d, err := process.CPU(p.pid)
		u.programs[p.name] += sign * d
		u.err = errors.Join(u.err, err)
	}
	d, err := process.CPU(s.upstream.PID)
	u.upstream += sign * d
	u.client += sign * process.Own()
	all, err1 := process.Machine()
	u.machine += sign * all
	u.err = errors.Join(u.err, err, err1)
}

// share divides it by what was answered meanwhile.
func (u *usage) share(c *cell, l *load.Result, sub *subject) {
	per := func(d time.Duration, n int64) float64 { return float64(d) / float64(time.Microsecond) / float64(n) }
	var sum time.Duration
	for _, d := range u.programs {
		sum += d
	}
	if l.Measured > 0 {
		rest := u.machine - sum - u.upstream - u.client
		c.Figures[others] = max(0, 100*rest.Seconds()/l.Measured.Seconds()/float64(runtime.NumCPU()))
	}
	if l.Chunks > 0 && sum > 0 {
		c.Figures[cpuChunk] = per(sum, l.Chunks)
	}
	n := int64(l.Answers)
	if n == 0 {
		return
	}
	c.Figures[cpuUpstream], c.Figures[cpuClient] = per(u.upstream, n), per(u.client, n)
	if len(sub.programs) == 0 {
		return
	}
	c.Figures[cpuAnswer] = per(sum, n)
	c.CPU = make(map[string]float64)
	for name, d := range u.programs {
		c.CPU[name] = per(d, n)
	}
}
