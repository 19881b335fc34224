package sim

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/culvert-net/culvert/mesh"
	"github.com/culvert-net/culvert/mesh/terrain"
)

// The numbers are those that nodes run with.
func TestDefaults(t *testing.T) {
	var cfg Config
	cfg.defaults()
	for _, tt := range []struct {
		what      string
		got, want int
	}{
		{"Links", cfg.Links, mesh.KeptLinks},
		{"Degree", cfg.Degree, mesh.PushDegree},
		{"DegreeLow", cfg.DegreeLow, mesh.PushDegreeLow},
		{"DegreeHigh", cfg.DegreeHigh, mesh.PushDegreeHigh},
		{"Near", cfg.Near, terrain.Near},
		{"Random", cfg.Random, terrain.Random},
		{"beatEvery", beatEvery, int(mesh.PushBeat.Milliseconds())},
	} {
		if tt.got != tt.want {
			t.Errorf("%s = %d, nodes have %d", tt.what, tt.got, tt.want)
		}
	}
}

func TestWheel(t *testing.T) {
	w := new(wheel)
	put := func(at int, n uint32) { w.put(at, event{node: n}) }
	put(5, 1)
	put(span-1, 4)
	put(3, 0)
	put(5, 2)
	var got []uint32
	var times []int
	for s := w.next(); s != nil; s = w.next() {
		if w.now == 5 {
			put(5+span-1, 5) // the slot before, a turn later
			put(6, 3)
		}
		for _, e := range s {
			got, times = append(got, e.node), append(times, w.now)
		}
		w.done(s)
	}
	if want := []uint32{0, 1, 2, 3, 4, 5}; !slices.Equal(got, want) {
		t.Errorf("order = %v, want %v", got, want)
	}
	if want := []int{3, 5, 5, 6, span - 1, span + 4}; !slices.Equal(times, want) {
		t.Errorf("times = %v, want %v", times, want)
	}
	for _, at := range []int{w.now, w.now + span} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("an event at %d was taken at %d", at, w.now)
				}
			}()
			put(at, 9)
		}()
	}
}

func TestMesh(t *testing.T) {
	cfg := Config{Nodes: 2000}
	cfg.defaults()
	rnd := rand.New(rand.NewPCG(1, 1))
	g := drawGraph(&cfg, rnd)
	before := slices.Sorted(slices.Values(g.peer))
	for epoch := range 3 {
		g.drawMesh(&cfg, rnd)
		if after := slices.Sorted(slices.Values(g.peer)); !slices.Equal(before, after) {
			t.Fatal("the links are others")
		}
		sum := 0
		for a := range cfg.Nodes {
			inner := int(g.inner[a])
			if inner < cfg.DegreeLow || inner > cfg.DegreeHigh {
				t.Errorf("epoch %d: node %d has %d peers in the mesh", epoch, a, inner)
			}
			sum += inner
			for i := int(g.first[a]); i < int(g.first[a])+inner; i++ {
				b := int(g.peer[i])
				if back := g.find(b, uint32(a)); back >= int(g.first[b])+int(g.inner[b]) {
					t.Fatalf("%d sends to %d, and not the other way", a, b)
				} else if g.way[back] != g.way[i] {
					t.Fatalf("the way from %d to %d is %d ms, and %d back", a, b, g.way[i], g.way[back])
				}
			}
		}
		if mean := float64(sum) / float64(cfg.Nodes); mean < 5.5 || mean > 6.5 {
			t.Errorf("epoch %d: %.2f peers in the mesh, want about 6", epoch, mean)
		}
	}
}

// What is said to go wrong does, as long as nothing mends it.
func TestWithoutRepair(t *testing.T) {
	for name, cfg := range map[string]Config{
		"a partition": {Cleave: 100, Heal: 9000, Part: .3},
		"churn":       {Away: .3},
		"droppers":    {Droppers: .7},
		"clocks":      {Epoch: 1500, Skew: 1000},
	} {
		t.Run(name, func(t *testing.T) {
			cfg.Nodes, cfg.Messages, cfg.Seed, cfg.Until = 1000, 40, 1, 70_000
			if r := Run(cfg); r.Complete || r.P50 == Never && cfg.Droppers == 0 {
				t.Errorf("complete = %v, p50 = %d ms: want most to arrive, not all", r.Complete, r.P50)
			}
			cfg.Repair = 5000
			r := Run(cfg)
			if !r.Complete || !r.Alike {
				t.Errorf("with repair: complete = %v, alike = %v", r.Complete, r.Alike)
			}
			if r.Pushed >= 1 {
				t.Errorf("pushed = %v: what did repair do?", r.Pushed)
			}
		})
	}
}

// Every part of a Config has an effect of its own.
func TestConfigMatters(t *testing.T) {
	base := Config{Nodes: 500, Messages: 10, Seed: 1, Repair: 4000, Epoch: 3000, Skew: 10, Until: 30_000}
	was := Run(base).Trace
	for name, change := range map[string]func(*Config){
		"Seed":     func(c *Config) { c.Seed = 2 },
		"Every":    func(c *Config) { c.Every = 50 },
		"Links":    func(c *Config) { c.Links = 10 },
		"Degree":   func(c *Config) { c.Degree = 8 },
		"Median":   func(c *Config) { c.Median = 100 },
		"Spread":   func(c *Config) { c.Spread = .1 },
		"Hop":      func(c *Config) { c.Hop = 20 },
		"Droppers": func(c *Config) { c.Droppers = .1 },
		"Repair":   func(c *Config) { c.Repair = 500 },
		"Cleave":   func(c *Config) { c.Cleave, c.Heal, c.Part = 500, 900, .5 },
		"Away":     func(c *Config) { c.Away = .2 },
		"Epoch":    func(c *Config) { c.Epoch = 400 },
		"Skew":     func(c *Config) { c.Epoch, c.Skew = 400, 300 },
	} {
		cfg := base
		change(&cfg)
		if Run(cfg).Trace == was {
			t.Errorf("%s changes nothing", name)
		}
	}
}
