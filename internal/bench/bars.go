package bench

import (
	"fmt"
	"slices"
)

// verdict is a bar beside the figure that was measured.
type verdict struct {
	What   string  `json:"what"`
	Figure float64 `json:"figure"`
	Bar    float64 `json:"bar"`
	Unit   string  `json:"unit"`
	Least  bool    `json:"at_least"` // the bar is a lower bound
	Ok     bool    `json:"ok"`
}

// bar is a figure that is to be reached.
type bar struct {
	what  string
	unit  string
	limit float64
	least bool
	value func(r *results) (float64, bool)
}

// bars are those of the local API first, then those of the whole product. A miss
// is no failure: machines differ, and what else runs on them.
func bars(r *results) []verdict {
	var all []verdict
	for _, b := range slices.Concat(localBars(), hopBars(), floorBars(), paidBars()) {
		v, ok := b.value(r)
		if !ok {
			continue // not measured in this run
		}
		all = append(all, verdict{
			What: b.what, Figure: v, Bar: b.limit, Unit: b.unit, Least: b.least,
			Ok: b.least && v >= b.limit || !b.least && v <= b.limit,
		})
	}
	return append(all, memoryBars(r)...)
}

func localBars() []bar {
	return []bar{
		{what: "local mode: added p50, 1 client, of what ReverseProxy adds", unit: "×", limit: 1.2, value: func(r *results) (float64, bool) {
			return r.addedRatio("seq", rowLocal, rowProxy, p50)
		}},
		{what: "local mode: added p99, 1 client, of what ReverseProxy adds", unit: "×", limit: 1.2, value: func(r *results) (float64, bool) {
			return r.addedRatio("seq", rowLocal, rowProxy, p99)
		}},
		{what: "local mode: answers/s at 64 clients, of ReverseProxy's", unit: "×", limit: 0.85, least: true, value: func(r *results) (float64, bool) {
			return r.ratio("c64", rowLocal, rowProxy, perSecond)
		}},
		{what: "local mode: chunks/s of 32 streams, of ReverseProxy's", unit: "×", limit: 0.9, least: true, value: func(r *results) (float64, bool) {
			return r.ratio("flood", rowLocal, rowProxy, chunksPerSecond)
		}},
		{what: "local mode: first token p99, 64 paced streams", unit: "ms", limit: 16, value: figureOf("paced64", rowLocal, first99)},
		{what: "local mode: wrong, cut or failed among many streams", limit: 0, value: badOf("many", rowLocal)},
		{what: "three hops: wrong, cut or failed among many streams", limit: 0, value: badOf("many", rowKey)},
		{what: "identifying headers that reached the upstream", limit: 0, value: headers},
	}
}

func hopBars() []bar {
	return []bar{
		{what: "three hops: added p50, 1 client", unit: "ms", limit: 1, value: addedOf("seq", rowKey, p50)},
		{what: "three hops: added p99, 1 client", unit: "ms", limit: 6, value: addedOf("seq", rowKey, p99)},
		{what: "three hops: added p50, 16 clients", unit: "ms", limit: 4.5, value: addedOf("c16", rowKey, p50)},
		{what: "three hops: added p99, 16 clients", unit: "ms", limit: 20, value: addedOf("c16", rowKey, p99)},
		{what: "three hops: answers/s at 64 clients", unit: "/s", limit: 3000, least: true, value: figureOf("c64", rowKey, perSecond)},
		{what: "three hops: first token p50, 16 streams", unit: "ms", limit: 5, value: figureOf("stream16", rowKey, first50)},
		{what: "three hops: gap p99, 16 streams (bar of bare circuits)", unit: "ms", limit: 8, value: figureOf("stream16", rowKey, gap99)},
		{what: "three hops: chunk delay p99, 64 paced streams", unit: "ms", limit: 10, value: figureOf("paced64", rowKey, delay99)},
		{what: "three hops: bulk down (bar of bare circuits)", unit: "MB/s", limit: 50, least: true, value: figureOf("down", rowKey, megabytes)},
		{what: "three hops: bulk up (bar of bare circuits)", unit: "MB/s", limit: 50, least: true, value: figureOf("up", rowKey, megabytes)},
		{what: "new circuit each: added p50, 1 client", unit: "ms", limit: 2.5, value: addedOf("seq", rowNew, p50)},
		{what: "new circuit each: answers/s at 64 clients", unit: "/s", limit: 500, least: true, value: figureOf("c64", rowNew, perSecond)},
	}
}

// floorBars are hopBars in terms of the floor chain, which is as slow as the
// machine is: where the bars come from it took 0.58 and 1.6 ms (p50 and p99) for
// one client, 3.1 and 8.8 for 16, 2.6 until the first token, and gave 4,488
// answers a second.
func floorBars() []bar {
	added := func(group string, which row, m metric) func(*results) (float64, bool) {
		return func(r *results) (float64, bool) { return r.addedRatio(group, which, rowFloor, m) }
	}
	ratio := func(group string, which row, m metric) func(*results) (float64, bool) {
		return func(r *results) (float64, bool) { return r.ratio(group, which, rowFloor, m) }
	}
	return []bar{
		{what: "three hops: added p50, 1 client, of the floor chain's", unit: "×", limit: 1.72, value: added("seq", rowKey, p50)},
		{what: "three hops: added p99, 1 client, of the floor chain's", unit: "×", limit: 3.75, value: added("seq", rowKey, p99)},
		{what: "three hops: added p50, 16 clients, of the floor chain's", unit: "×", limit: 1.45, value: added("c16", rowKey, p50)},
		{what: "three hops: added p99, 16 clients, of the floor chain's", unit: "×", limit: 2.27, value: added("c16", rowKey, p99)},
		{what: "three hops: answers/s at 64 clients, of the floor chain's", unit: "×", limit: 0.67, least: true, value: ratio("c64", rowKey, perSecond)},
		{what: "three hops: first token p50, 16 streams, of the floor chain's", unit: "×", limit: 1.92, value: ratio("stream16", rowKey, first50)},
		{what: "new circuit each: added p50, 1 client, of the floor chain's", unit: "×", limit: 4.3, value: added("seq", rowNew, p50)},
		{what: "new circuit each: answers/s at 64 clients, of the floor chain's", unit: "×", limit: 0.11, least: true, value: ratio("c64", rowNew, perSecond)},
	}
}

// paidBars are of what paying for an answer adds to the same one, unpaid, in the
// same round. Commits are in it, but wait for no disk.
func paidBars() []bar {
	return []bar{
		{what: "paid, ledgers in memory: added p50 to unpaid, 1 client", unit: "ms", limit: 0.5, value: func(r *results) (float64, bool) {
			return r.more("seq", rowMemory, rowKey, p50)
		}},
	}
}

func figureOf(group string, which row, m metric) func(*results) (float64, bool) {
	return func(r *results) (float64, bool) { return r.figure(group, which, m) }
}

func addedOf(group string, which row, m metric) func(*results) (float64, bool) {
	return func(r *results) (float64, bool) { return r.addedFigure(group, which, m) }
}

func badOf(group string, which row) func(*results) (float64, bool) {
	return func(r *results) (float64, bool) {
		n, ok := r.count(group, which, bad)
		return float64(n), ok
	}
}

// headers sums what programs of ours let through.
func headers(r *results) (float64, bool) {
	sum, any := 0.0, false
	for _, c := range r.Cells {
		if c.Row.product() {
			any = true
			sum += c.Figures[named]
		}
	}
	return sum, any
}

// Bars of memory, in megabytes of RssAnon.
const (
	idleBar   = 16
	loadedBar = 40
)

// memoryBars are of the program that needs the most, of each row. Only a bridge
// of a world has a bar while idle.
func memoryBars(r *results) []verdict {
	var all []verdict
	for _, which := range rows {
		var idle, loaded int64
		for _, m := range r.Memory {
			if m.Row == which {
				idle, loaded = max(idle, m.Idle), max(loaded, m.Loaded)
			}
		}
		if !which.product() || idle == 0 {
			continue
		}
		add := func(when string, bytes int64, limit float64) {
			mb := float64(bytes) / 1e6
			all = append(all, verdict{
				What:   fmt.Sprintf("%s: RssAnon of the largest program, %s", which.title(), when),
				Figure: mb, Bar: limit, Unit: "MB", Ok: mb <= limit,
			})
		}
		if which != rowLocal {
			add("idle", idle, idleBar)
		}
		if loaded > 0 {
			add("after the load", loaded, loadedBar)
		}
	}
	return all
}
