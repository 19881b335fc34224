package bench

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/culvert-net/culvert/internal/bench/load"
)

// told is a cell that measured these.
func told(group string, which row, round int, f map[metric]float64) *cell {
	return &cell{Group: group, Row: which, Round: round, Right: 100, Figures: f}
}

// rounds is a group of three rounds, in the second of which the machine was
// half as fast.
func rounds(group string, m metric, of map[row]float64) []*cell {
	var all []*cell
	for round, slow := range []float64{1, 2, 1} {
		for which, v := range of {
			all = append(all, told(group, which, round+1, map[metric]float64{m: v * slow}))
		}
	}
	return all
}

// Differences and ratios are those of a round, and figures medians of rounds.
func TestComparisons(t *testing.T) {
	r := &results{Cells: append(
		rounds("seq", p50, map[row]float64{rowUpstream: 1, rowProxy: 3, rowLocal: 4}),
		rounds("c64", perSecond, map[row]float64{rowProxy: 1000, rowLocal: 900})...,
	)}
	for _, tt := range []struct {
		name string
		got  func() (float64, bool)
		want float64
	}{
		{"figure", func() (float64, bool) { return r.figure("seq", rowLocal, p50) }, 4},
		{"added", func() (float64, bool) { return r.addedFigure("seq", rowLocal, p50) }, 3},
		{"added ratio", func() (float64, bool) { return r.addedRatio("seq", rowLocal, rowProxy, p50) }, 1.5},
		{"ratio", func() (float64, bool) { return r.ratio("c64", rowLocal, rowProxy, perSecond) }, 0.9},
	} {
		if got, ok := tt.got(); !ok || math.Abs(got-tt.want) > 1e-9 {
			t.Errorf("%s = %v, %v, want %v", tt.name, got, ok, tt.want)
		}
	}
	for name, f := range map[string]func() (float64, bool){
		"another metric":          func() (float64, bool) { return r.figure("seq", rowLocal, p99) },
		"no such row":             func() (float64, bool) { return r.figure("seq", rowKey, p50) },
		"added without upstream":  func() (float64, bool) { return r.addedFigure("c64", rowLocal, perSecond) },
		"ratio to nobody":         func() (float64, bool) { return r.ratio("c64", rowLocal, rowFloor, perSecond) },
		"what the upstream added": func() (float64, bool) { return r.addedRatio("seq", rowLocal, rowUpstream, p50) },
	} {
		if got, ok := f(); ok {
			t.Errorf("%s: %v, want none", name, got)
		}
	}
}

func TestMedian(t *testing.T) {
	for _, tt := range []struct {
		of   []float64
		want float64
	}{{[]float64{3}, 3}, {[]float64{9, 1}, 5}, {[]float64{9, 1, 2}, 2}, {[]float64{4, 1, 3, 2}, 2.5}} {
		if got := median(tt.of); got != tt.want {
			t.Errorf("median(%v) = %v, want %v", tt.of, got, tt.want)
		}
	}
	if got := median(nil); !math.IsNaN(got) {
		t.Errorf("median of nothing = %v", got)
	}
}

func TestCellOfLoad(t *testing.T) {
	g := &group{name: "g", load: load.Load{Clients: 4}}
	c := newCell(g, rowLocal, 1, &load.Result{
		Right: 9, Cut: 1, Measured: 2 * time.Second, Answers: 8, Chunks: 80, Bytes: 16e6,
		Latency: []time.Duration{time.Second, time.Second, time.Second, time.Second, time.Second, time.Second, time.Second, time.Second},
		First:   []time.Duration{time.Millisecond, 3 * time.Millisecond},
	})
	for m, want := range map[metric]float64{
		p50: 1000, perSecond: 4, chunksPerSecond: 40, first50: 1, first99: 3,
		megabytes: 8, // four clients with 2 MB a second each
	} {
		if got := c.Figures[m]; got != want {
			t.Errorf("%s = %v, want %v", m, got, want)
		}
	}
	if _, ok := c.Figures[gap50]; ok {
		t.Error("a gap where there was none")
	}
}

// A bar that was not measured is not printed; a miss is said and no failure.
func TestBars(t *testing.T) {
	r := &results{
		Cells: append(
			rounds("seq", p50, map[row]float64{rowUpstream: 1, rowProxy: 3, rowLocal: 4}),
			rounds("c64", perSecond, map[row]float64{rowKey: 3000})...,
		),
		Memory: []*memory{
			{Row: rowLocal, Program: "bridge", Idle: 3e6, Loaded: 41e6},
			{Row: rowKey, Program: "bridge", Idle: 15e6},
			{Row: rowKey, Program: "relay-1", Idle: 17e6},
			{Row: rowProxy, Program: "proxy", Idle: 99e6, Loaded: 99e6},
		},
	}
	got := make(map[string]bool)
	for _, v := range bars(r) {
		got[v.What] = v.Ok
	}
	want := map[string]bool{
		"local mode: added p50, 1 client, of what ReverseProxy adds":         false,
		"three hops: answers/s at 64 clients":                                true,
		"identifying headers that reached the upstream":                      true,
		"bridge, local mode: RssAnon of the largest program, after the load": false,
		"three hops, by key: RssAnon of the largest program, idle":           false,
	}
	for what, ok := range want {
		if v, there := got[what]; !there || v != ok {
			t.Errorf("%s: %v, there: %v; want %v", what, v, there, ok)
		}
	}
	if len(got) != len(want) {
		t.Errorf("bars = %v, want %d", got, len(want))
	}
	if err := r.judge(groups()); err != nil {
		t.Errorf("judge = %v for a miss", err)
	}
}

// Every answer that is not right fails the run, but those of programs of others
// with a server that closes connections unsaid.
func TestJudge(t *testing.T) {
	for _, tt := range []struct {
		name string
		spot *cell
		ok   bool
	}{
		{"right", &cell{Group: "seq", Row: rowLocal, Right: 5}, true},
		{"wrong", &cell{Group: "seq", Row: rowLocal, Wrong: 1}, false},
		{"cut", &cell{Group: "many", Row: rowKey, Cut: 1}, false},
		{"failed", &cell{Group: "c64", Row: rowNew, Failed: 1}, false},
		{"the generator's own", &cell{Group: "seq", Row: rowUpstream, Wrong: 1}, false},
		{"of others", &cell{Group: "llama-stream", Row: rowProxy, Failed: 1}, true},
		{"closed without an answer", &cell{Group: "seq", Row: rowLocal, Right: 5, Stale: 1}, false},
		{"closed by others", &cell{Group: "llama-stream", Row: rowProxy, Right: 5, Stale: 1}, true},
		{"ours", &cell{Group: "llama-stream", Row: rowLocal, Failed: 1}, false},
	} {
		err := (&results{Cells: []*cell{tt.spot}}).judge(groups())
		if ok := err == nil; ok != tt.ok || !ok && !errors.Is(err, errBad) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func TestChoose(t *testing.T) {
	got, err := choose(groups(), []string{"many", "seq"}, []string{"local", "floor"})
	if err != nil || len(got) != 2 || got[0].name != "seq" || len(got[0].rows) != 2 || len(got[1].rows) != 1 {
		t.Fatalf("choose = %+v, %v", got, err)
	}
	if all, err := choose(groups(), nil, nil); err != nil || len(all) != len(groups()) {
		t.Errorf("choose without names = %d groups, %v", len(all), err)
	}
	for _, tt := range [][2][]string{{{"nothing"}, nil}, {nil, {"nothing"}}} {
		if _, err := choose(groups(), tt[0], tt[1]); err == nil || !strings.Contains(err.Error(), "seq") && !strings.Contains(err.Error(), "local") {
			t.Errorf("choose(%v) = %v, want the names there are", tt, err)
		}
	}
}

// Groups and rows that have nothing in common were a run of nothing, and exit 0.
func TestChooseNothing(t *testing.T) {
	_, err := choose(groups(), []string{"flood", "down"}, []string{"new"})
	if err == nil || !strings.Contains(err.Error(), "upstream, proxy, local, floor, key") {
		t.Errorf("choose = %v, want the rows there are", err)
	}
}

// Paced streams have time for one whole stream, whatever was asked for.
func TestTimes(t *testing.T) {
	for _, g := range groups() {
		warm, measured := g.times(100 * time.Millisecond)
		if r := g.load.Order.Rate; r > 0 {
			if stream := time.Duration(g.load.Order.Tokens) * time.Second / time.Duration(r); warm < stream || measured <= stream {
				t.Errorf("%s: %v and %v for streams of %v", g.name, warm, measured, stream)
			}
		} else if warm != 50*time.Millisecond || measured != 100*time.Millisecond {
			t.Errorf("%s: %v and %v", g.name, warm, measured)
		}
	}
}

func TestReport(t *testing.T) {
	r := &results{
		Rounds: 3, Seconds: 2.5,
		Cells:  rounds("seq", p50, map[row]float64{rowUpstream: 1, rowLocal: 4}),
		Memory: []*memory{{Row: rowLocal, Program: "bridge", Idle: 3e6}},
	}
	r.Cells[0].Figures[others], r.Cells[1].Figures[others], r.Cells[2].Figures[others] = 3, 40, 5
	r.Cells[0].CPU = map[string]float64{"a": 1, "b": 2}
	r.Bars = []verdict{{What: "it", Figure: 2, Bar: 1, Unit: "ms"}, {What: "that", Figure: 0.5, Bar: 0.25, Least: true, Ok: true}}
	text := report(r, groups())
	for _, want := range []string{
		"3 rounds of 2.5 s a cell;", "had 5 % of the machine meanwhile, at most 40 %",
		"1 client, not streamed (seq)\n\n", "| bridge, local mode | 4.00   |", "3.00      |",
		"| bridge, local mode | bridge  | 3.00 | –              | –          |",
		"| it   | 2.00 ms | ≤ 1 ms | MISS |", "| that | 0.500   | ≥ 0.25 | ok   |",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the report lacks %q:\n%s", want, text)
		}
	}
	if one := report(&results{Rounds: 1, Seconds: 0.05}, nil); !strings.Contains(one, "1 round of 0.05 s a cell;") {
		t.Errorf("a short run is said to be another:\n%s", one)
	}
	if strings.Contains(text, "flood") {
		t.Errorf("the report has a group that did not run:\n%s", text)
	}
}
