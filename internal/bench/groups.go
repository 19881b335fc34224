package bench

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/culvert-net/culvert/internal/bench/load"
	"github.com/culvert-net/culvert/internal/bench/script"
)

// group is one kind of load.
type group struct {
	name    string
	title   string
	rows    []row
	columns []column
	load    load.Load
	llama   bool // against the upstream that behaves like llama-server

	once  bool // in one round only
	count bool // as many answers as --streams says, in place of a time
	bulk  bool // bodies of megabytes; memory is read before the first of these
}

// Sizes of loads.
const (
	// usualTokens is a short answer, some two kilobytes of JSON.
	usualTokens = 32

	// floodTokens makes a stream long enough that its beginning and end do not
	// show.
	floodTokens = 2000

	// pace is what a person's graphics card gives; quickPace a data centre's.
	pace, quickPace = 50, 200

	// bulkBytes is a prompt with a few pictures in it.
	bulkBytes = 8 << 20

	// manyTokens keeps each of ten thousand streams short.
	manyTokens = 8
)

func chat(clients int) load.Load {
	return load.Load{Clients: clients, Order: script.Order{Tokens: usualTokens}}
}

func streams(clients, tokens, rate int) load.Load {
	return load.Load{Clients: clients, Stream: true, Order: script.Order{Tokens: tokens, Rate: rate}}
}

func bulk(o script.Order) load.Load {
	o.Tokens = 1
	return load.Load{Clients: 1, Order: o}
}

// groups is all of them, in the order they run in.
func groups() []*group {
	latency := []column{colP50, colP90, colP99, colAdded50, colAdded99, colPaid50, colAnswers, colCPU, colUpstream, colClient}
	streaming := []column{colFirst50, colFirst99, colPaidFirst50, colGap50, colGap99, colDelay50, colDelay99, colChunks, colCPUChunk}
	few := []row{rowProxy, rowLocal, rowKey}
	// What a circuit costs does not show in what takes so much longer.
	noNew := []row{rowUpstream, rowProxy, rowLocal, rowFloor, rowKey}
	unpaid := slices.DeleteFunc(slices.Clone(rows), row.paid)
	direct := []row{rowUpstream, rowProxy, rowLocal, rowKey}
	return []*group{
		{name: "seq", title: "1 client, not streamed", rows: rows, columns: latency, load: chat(1)},
		{name: "c16", title: "16 clients, not streamed", rows: rows, columns: latency, load: chat(16)},
		{name: "c64", title: "64 clients, not streamed", rows: rows, columns: latency, load: chat(64)},
		{
			name: "stream16", title: "16 streams of 200 tokens/s", rows: rows, columns: streaming,
			load: streams(16, quickPace/2, quickPace),
		},
		{
			name: "paced64", title: "64 streams of 50 tokens/s", rows: unpaid, columns: streaming,
			load: streams(64, pace, pace),
		},
		{
			name: "flood", title: "32 streams as fast as possible", rows: noNew, load: streams(32, floodTokens, 0),
			columns: []column{colChunks, colChunkRatio, colCPUChunk},
		},
		{
			name: "many", title: "many short streams, 16 clients", rows: few, load: streams(16, manyTokens, 0),
			columns: []column{colTotal, colBad, colAnswers, colP50, colP99}, once: true, count: true,
		},
		{
			name: "down", title: "answers of 8 MiB, 1 client", rows: noNew, load: bulk(script.Order{Fill: bulkBytes}),
			columns: []column{colMB, colP50, colCPU}, bulk: true,
		},
		{
			name: "up", title: "prompts of 8 MiB, 1 client", rows: noNew, load: bulk(script.Order{Pad: bulkBytes}),
			columns: []column{colMB, colP50, colCPU}, bulk: true,
		},
		{
			name: "llama", title: "a server like llama-server, 1 client, not streamed", rows: direct, llama: true, once: true,
			load: chat(1), columns: []column{colP50, colP99, colTotal, colBad, colStale},
		},
		{
			name: "llama-stream", title: "a server like llama-server, 4 clients, streamed", rows: direct, llama: true, once: true,
			load: streams(4, manyTokens, 0), columns: []column{colP50, colP99, colTotal, colBad, colStale},
		},
	}
}

// choose keeps the groups and rows that were asked for. Names that are not there
// are errors.
func choose(all []*group, only, wanted []string) ([]*group, error) {
	if err := check("--only", "group", only, names(all)); err != nil {
		return nil, err
	}
	var keys []string
	for _, r := range rows {
		keys = append(keys, string(r))
	}
	if err := check("--rows", "row", wanted, keys); err != nil {
		return nil, err
	}
	var chosen []*group
	for _, g := range all {
		if len(only) > 0 && !slices.Contains(only, g.name) {
			continue
		}
		own := *g
		if len(wanted) > 0 {
			own.rows = slices.DeleteFunc(slices.Clone(g.rows), func(r row) bool { return !slices.Contains(wanted, string(r)) })
		}
		if len(own.rows) > 0 {
			chosen = append(chosen, &own)
		}
	}
	if len(chosen) == 0 {
		return nil, fmt.Errorf("--rows %s: no chosen group has it; %s", strings.Join(wanted, ","), have(all, only))
	}
	return chosen, nil
}

// have says which rows the groups have that were asked for.
func have(all []*group, only []string) string {
	var text []string
	for _, g := range all {
		if !slices.Contains(only, g.name) {
			continue
		}
		var of []string
		for _, r := range g.rows {
			of = append(of, string(r))
		}
		text = append(text, fmt.Sprintf("%s has %s", g.name, strings.Join(of, ", ")))
	}
	return strings.Join(text, "; ")
}

// names is what groups are called on the command line.
func names(groups []*group) []string {
	var all []string
	for _, g := range groups {
		all = append(all, g.name)
	}
	return all
}

func check(flag, thing string, got, known []string) error {
	for _, name := range got {
		if !slices.Contains(known, name) {
			return fmt.Errorf("%s: there is no %s %q; there are %s", flag, thing, name, strings.Join(known, ", "))
		}
	}
	return nil
}

// times are how long a cell runs before it is measured, and how long it is
// measured: of paced streams the first wave passes before, and one at least
// begins and ends meanwhile.
func (g *group) times(d time.Duration) (warm, measured time.Duration) {
	warm, measured = min(d/2, maxWarm), d
	if r := g.load.Order.Rate; r > 0 {
		stream := time.Duration(g.load.Order.Tokens) * time.Second / time.Duration(r)
		warm, measured = max(warm, stream), max(measured, stream+stream/4)
	}
	return warm, measured
}

// maxWarm is when connections are open and pools full; a cell of the round before
// has done the rest.
const maxWarm = 500 * time.Millisecond
