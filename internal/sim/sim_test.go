package sim

import (
	"cmp"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/culvert-net/culvert/mesh/terrain"
)

// table is what make sim prints.
type table struct {
	t    *testing.T
	rows []string
}

// row is one figure beside its bar.
func (b *table) row(what, figure, bar string, kept bool) {
	mark := "ok"
	if !kept {
		mark = "MISSED"
		b.t.Errorf("%s: %s, the bar is %s", what, figure, bar)
	}
	b.rows = append(b.rows, strings.Join([]string{what, figure, bar, mark}, "\t"))
}

func (b *table) print() {
	w := tabwriter.NewWriter(b.t.Output(), 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "%d seeds\tfigure\tbar\t\n%s\n", seeds, strings.Join(b.rows, "\n"))
	if err := w.Flush(); err != nil {
		b.t.Error(err)
	}
}

// over runs a Config under every seed, and returns all results.
func over(cfg Config) (out []Result) {
	for seed := range uint64(seeds) {
		cfg.Seed = seed + 1
		out = append(out, Run(cfg))
	}
	return out
}

// worst is the greatest of what f reads from the results.
func worst[T cmp.Ordered](all []Result, f func(Result) T) (most T) {
	for _, r := range all {
		most = max(most, f(r))
	}
	return most
}

func every(all []Result, f func(Result) bool) bool {
	for _, r := range all {
		if !f(r) {
			return false
		}
	}
	return true
}

// The bars of the event log's propagation. Every figure is the worst of all
// seeds.
func TestSimPropagation(t *testing.T) {
	b := &table{t: t}
	defer b.print()
	p99 := func(r Result) int { return r.P99 }
	complete := func(r Result) bool { return r.Complete && r.Alike }
	rounds := func(r Result) int { return r.Rounds }

	push := over(Config{Nodes: town, Messages: 20})
	b.row(fmt.Sprintf("%d nodes, push alone: p99", town), fmt.Sprintf("%d ms", worst(push, p99)), "≤ 1,000 ms", worst(push, p99) <= 1000)
	b.row("  reached by it", fmt.Sprint(every(push, complete)), "all", every(push, complete))
	b.row("  copies of a message a node", fmt.Sprintf("%.1f", float64(worst(push, func(r Result) uint64 { return r.Copies }))/20/town), "", true)

	drop := over(Config{Nodes: town, Messages: 20, Droppers: .3})
	b.row("30 % drop silently, push alone: p99", fmt.Sprintf("%d ms", worst(drop, p99)), "≤ 2,000 ms", worst(drop, p99) <= 2000)
	left := worst(drop, func(r Result) float64 { return 1 - r.Pushed })
	b.row("  left to repair", fmt.Sprintf("%.3f %%", 100*left), "", true)
	repaired := over(Config{Nodes: town, Messages: 20, Droppers: .3, Repair: 30_000})
	b.row("  with repair: all have it after", fmt.Sprintf("%d rounds", worst(repaired, rounds)), "≤ 2 rounds",
		every(repaired, complete) && worst(repaired, rounds) <= 2)

	heal := over(Config{Nodes: town, Messages: 60, Repair: 10_000, Cleave: 500, Heal: 6000, Part: .4})
	b.row("40 % apart for 55 messages: after the heal", fmt.Sprintf("%d rounds", worst(heal, rounds)), "≤ 2 rounds",
		every(heal, complete) && worst(heal, rounds) <= 2)

	all := over(Config{Nodes: 3000, Messages: 100, Droppers: .1, Repair: 3000, Cleave: 2000, Heal: 5000, Part: .2, Away: .1, Epoch: 5000, Skew: 1000, Until: 80_000})
	b.row("epochs, a partition, churn and droppers: all have all", fmt.Sprint(every(all, complete)), "true", every(all, complete))

	prune := over(Config{Nodes: 2000, Messages: 100, Repair: 1000, Cleave: 3000, Heal: 9000, Part: .4, Epoch: 4000, Skew: 1000, Horizon: 3, Until: 19_900})
	back := worst(prune, func(r Result) int { return r.Back })
	alike := every(prune, func(r Result) bool { return r.Alike })
	b.row("pruning: messages that came back", fmt.Sprint(back), "0, and all alike", back == 0 && alike)
}

// Repair partners of a victim, 20 % of all members colluding.
func TestSimColluders(t *testing.T) {
	b := &table{t: t}
	defer b.print()
	const n, part = town, 5
	surrounded, near := 0, 0
	for seed := range uint64(seeds) {
		cfg := Config{Nodes: n, Messages: 1, Seed: seed + 1, Repair: 30_000}
		r := newRun(cfg)
		for victim := range r.ring.Places() {
			all, close := true, true
			for _, p := range r.ring.PartnersAt(victim, terrain.Near, terrain.Random, r.rnd) {
				bad := r.nodeOf[p.Key]%part == 0
				all = all && bad
				close = close && (bad || !p.Near)
			}
			surrounded += number(all)
			near += number(close)
		}
	}
	share := func(k int) float64 { return float64(k) / float64(n*seeds) }
	b.row("20 % collude: all 8 partners are theirs", fmt.Sprintf("%.4f %%", 100*share(surrounded)), "≤ 1 %", share(surrounded) <= .01)
	b.row("  all 4 near ones", fmt.Sprintf("%.4f %%", 100*share(near)), "≤ 1 %", share(near) <= .01)
}

func number(b bool) int {
	if b {
		return 1
	}
	return 0
}

// A great world, twice: its cost, and that nothing but the seed decides.
func TestSimGreatWorld(t *testing.T) {
	b := &table{t: t}
	defer b.print()
	cfg := Config{Nodes: bigWorld, Messages: 100, Seed: 1}
	debug.FreeOSMemory() // of earlier tests
	began := time.Now()
	first := Run(cfg)
	took := time.Since(began)
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	b.row(fmt.Sprintf("%d nodes × 100 messages", bigWorld), took.Round(10*time.Millisecond).String(), "≤ 30 s", took <= 30*time.Second)
	// What the heap has of the system is more than what it held at any time.
	held := (m.HeapSys - m.HeapReleased) >> 20
	b.row("  memory", fmt.Sprintf("%d MB", held), "≤ 512 MB", held <= 512)
	b.row("  events", fmt.Sprint(first.Events), "", true)
	again := Run(cfg)
	b.row("  trace, twice", fmt.Sprintf("%x", first.Trace[:8]), "the same", first == again)
	cfg.Seed = 2
	if other := Run(cfg); other.Trace == first.Trace {
		t.Error("another seed, and the same trace")
	}
}
