package sim

import (
	"math"
	"math/rand/v2"
	"slices"
)

// graph is who has a link to whom, with the way's milliseconds, and which links
// are in the push mesh of an epoch.
type graph struct {
	first []uint32 // of node i's links: first[i] to first[i+1]
	peer  []uint32
	way   []uint16
	inner []uint16 // how many of a node's links, in front, are in the mesh
}

// drawGraph links every node to cfg.Links others, drawn by chance.
func drawGraph(cfg *Config, rnd *rand.Rand) *graph {
	type link struct {
		a, b uint32
		way  uint16
	}
	n := cfg.Nodes
	links := make([]link, 0, n*cfg.Links)
	degree := make([]uint32, n+1)
	opened := make([][]uint32, n)
	for a := range n {
		// In a small world not more than leave room for everybody's own.
		for len(opened[a]) < min(cfg.Links, n/4) {
			b := uint32(rnd.IntN(n))
			// Two nodes use one link, whoever opened it.
			if b == uint32(a) || slices.Contains(opened[a], b) || slices.Contains(opened[b], uint32(a)) {
				continue
			}
			opened[a] = append(opened[a], b)
			links = append(links, link{uint32(a), b, cfg.latency(rnd)})
			degree[a]++
			degree[b]++
		}
	}
	g := &graph{first: make([]uint32, n+1), inner: make([]uint16, n)}
	for i := range n {
		g.first[i+1] = g.first[i] + degree[i]
	}
	g.peer, g.way = make([]uint32, g.first[n]), make([]uint16, g.first[n])
	next := append([]uint32(nil), g.first[:n]...)
	for _, l := range links {
		g.peer[next[l.a]], g.way[next[l.a]] = l.b, l.way
		next[l.a]++
		g.peer[next[l.b]], g.way[next[l.b]] = l.a, l.way
		next[l.b]++
	}
	return g
}

// drawMesh chooses the links over which messages are sent on at once, as
// gossipsub's grafts and prunes leave them: about Degree a node, not fewer than
// DegreeLow where there are links, not more than DegreeHigh.
func (g *graph) drawMesh(cfg *Config, rnd *rand.Rand) {
	clear(g.inner)
	// Nodes graft one after another, in an order that chance draws.
	for _, wanted := range []int{cfg.Degree, cfg.DegreeLow} {
		most := cfg.Degree
		if wanted == cfg.DegreeLow {
			most = cfg.DegreeHigh
		}
		for _, a := range rnd.Perm(len(g.inner)) {
			lo, hi := int(g.first[a]), int(g.first[a+1])
			for try := lo + int(g.inner[a]); try < hi && int(g.inner[a]) < wanted; try++ {
				at := try + rnd.IntN(hi-try)
				g.swap(at, try)
				b := g.peer[try]
				if int(g.inner[b]) >= most {
					continue
				}
				back := g.find(int(b), uint32(a))
				g.swap(back, int(g.first[b])+int(g.inner[b]))
				g.inner[b]++
				g.swap(try, lo+int(g.inner[a]))
				g.inner[a]++
			}
		}
	}
}

func (g *graph) swap(i, j int) {
	g.peer[i], g.peer[j] = g.peer[j], g.peer[i]
	g.way[i], g.way[j] = g.way[j], g.way[i]
}

// find is where in a's links b stands first.
func (g *graph) find(a int, b uint32) int {
	for i := int(g.first[a]); ; i++ {
		if g.peer[i] == b {
			return i
		}
	}
}

// latency draws one way's milliseconds: log-normal around cfg.Median.
func (cfg *Config) latency(rnd *rand.Rand) uint16 {
	ms := float64(cfg.Median) * math.Exp(rnd.NormFloat64()*cfg.Spread)
	return uint16(max(minWay, min(ms, maxWay)))
}

// No way is shorter than between two machines of a town, or longer than round
// the world by satellite.
const (
	minWay = 2
	maxWay = 600
)
