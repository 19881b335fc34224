package bench

import (
	"math"
	"slices"
	"time"

	"github.com/culvert-net/culvert/internal/bench/load"
)

// metric is one figure of a cell.
type metric string

// Times are in milliseconds, CPU in microseconds.
const (
	p50, p90, p99    metric = "p50_ms", "p90_ms", "p99_ms"
	first50, first99 metric = "first_p50_ms", "first_p99_ms"
	gap50, gap99     metric = "gap_p50_ms", "gap_p99_ms"
	delay50, delay99 metric = "delay_p50_ms", "delay_p99_ms"
	perSecond        metric = "answers_per_s"
	chunksPerSecond  metric = "chunks_per_s"
	megabytes        metric = "mb_per_s"
	cpuAnswer        metric = "cpu_us_per_answer"
	cpuChunk         metric = "cpu_us_per_chunk"
	cpuUpstream      metric = "upstream_cpu_us_per_answer"
	cpuClient        metric = "client_cpu_us_per_answer"
	named            metric = "identifying_headers"
	others           metric = "others_percent_of_machine"
)

// cell is what one row did in one round of one group.
type cell struct {
	Group   string             `json:"group"`
	Row     row                `json:"row"`
	Round   int                `json:"round"`
	Right   int                `json:"right"`
	Wrong   int                `json:"wrong"`
	Cut     int                `json:"cut"`
	Failed  int                `json:"failed"`
	Stale   int                `json:"stale_connections"`
	Why     []string           `json:"why,omitempty"`
	Figures map[metric]float64 `json:"figures"`

	// CPU is microseconds per answer, by program.
	CPU map[string]float64 `json:"cpu_us_per_answer,omitempty"`
}

// memory is RssAnon of one program, in bytes.
type memory struct {
	Row     row    `json:"row"`
	Program string `json:"program"`
	Idle    int64  `json:"idle"`
	Loaded  int64  `json:"loaded"` // right after the last load but bulk
	Bulk    int64  `json:"bulk"`   // right after everything; 0: there was no bulk
}

// results is all of a run.
type results struct {
	Machine machine   `json:"machine"`
	Rounds  int       `json:"rounds"`
	Seconds float64   `json:"seconds_per_cell"`
	Cells   []*cell   `json:"cells"`
	Memory  []*memory `json:"memory"`
	Bars    []verdict `json:"bars"`
}

func newCell(g *group, r row, round int, l *load.Result) *cell {
	c := &cell{
		Group: g.name, Row: r, Round: round,
		Right: l.Right, Wrong: l.Wrong, Cut: l.Cut, Failed: l.Failed, Stale: l.Stale, Why: l.Why,
		Figures: make(map[metric]float64),
	}
	for _, of := range []struct {
		sorted []time.Duration
		at     map[float64]metric
	}{
		{l.Latency, map[float64]metric{50: p50, 90: p90, 99: p99}},
		{l.First, map[float64]metric{50: first50, 99: first99}},
		{l.Gap, map[float64]metric{50: gap50, 99: gap99}},
		{l.Delay, map[float64]metric{50: delay50, 99: delay99}},
	} {
		for p, name := range of.at {
			if len(of.sorted) > 0 {
				c.Figures[name] = float64(load.Percentile(of.sorted, p)) / float64(time.Millisecond)
			}
		}
	}
	if s := l.Measured.Seconds(); s > 0 && l.Answers > 0 {
		c.Figures[perSecond] = float64(l.Answers) / s
		var sum time.Duration
		for _, d := range l.Latency {
			sum += d
		}
		// Each client asks again at once, so that this holds of parts of answers
		// too, which do not end while something is measured.
		c.Figures[megabytes] = float64(l.Bytes) / sum.Seconds() * float64(g.load.Clients) / 1e6
	}
	if s := l.Measured.Seconds(); s > 0 && l.Chunks > 0 {
		c.Figures[chunksPerSecond] = float64(l.Chunks) / s
	}
	return c
}

// of finds the cells of a group and row.
func (r *results) of(group string, which row) []*cell {
	var found []*cell
	for _, c := range r.Cells {
		if c.Group == group && c.Row == which {
			found = append(found, c)
		}
	}
	return found
}

// figure is the median of rounds.
func (r *results) figure(group string, which row, m metric) (float64, bool) {
	return r.each(group, which, func(c *cell) (float64, bool) {
		v, ok := c.Figures[m]
		return v, ok
	})
}

// each is the median of what f says of each round; ok is false if it says so of
// all of them.
func (r *results) each(group string, which row, f func(*cell) (float64, bool)) (float64, bool) {
	var all []float64
	for _, c := range r.of(group, which) {
		if v, ok := f(c); ok {
			all = append(all, v)
		}
	}
	return median(all), len(all) > 0
}

// peer is another row in the same round.
func (r *results) peer(c *cell, other row) (*cell, bool) {
	for _, o := range r.of(c.Group, other) {
		if o.Round == c.Round {
			return o, true
		}
	}
	return nil, false
}

// added is by how much a cell's figure exceeds that of the upstream alone in the
// same round.
func (r *results) added(c *cell, m metric) (float64, bool) {
	base, ok := r.peer(c, rowUpstream)
	if !ok {
		return 0, false
	}
	own, ok1 := c.Figures[m]
	direct, ok2 := base.Figures[m]
	return own - direct, ok1 && ok2
}

// addedFigure is the median of added.
func (r *results) addedFigure(group string, which row, m metric) (float64, bool) {
	return r.each(group, which, func(c *cell) (float64, bool) { return r.added(c, m) })
}

// addedRatio is how many times what other adds a row adds, round by round.
func (r *results) addedRatio(group string, which, other row, m metric) (float64, bool) {
	return r.each(group, which, func(c *cell) (float64, bool) {
		o, ok := r.peer(c, other)
		if !ok {
			return 0, false
		}
		own, ok1 := r.added(c, m)
		theirs, ok2 := r.added(o, m)
		return own / theirs, ok1 && ok2 && theirs > 0
	})
}

// more is by how much a figure exceeds another row's, round by round.
func (r *results) more(group string, which, other row, m metric) (float64, bool) {
	return r.beside(group, which, other, m, func(own, theirs float64) (float64, bool) { return own - theirs, true })
}

// ratio is a figure in terms of another row's, round by round.
func (r *results) ratio(group string, which, other row, m metric) (float64, bool) {
	return r.beside(group, which, other, m, func(own, theirs float64) (float64, bool) { return own / theirs, theirs > 0 })
}

// beside compares a figure with another row's, round by round.
func (r *results) beside(group string, which, other row, m metric, f func(own, theirs float64) (float64, bool)) (float64, bool) {
	return r.each(group, which, func(c *cell) (float64, bool) {
		o, ok := r.peer(c, other)
		if !ok {
			return 0, false
		}
		own, ok1 := c.Figures[m]
		theirs, ok2 := o.Figures[m]
		if !ok1 || !ok2 {
			return 0, false
		}
		return f(own, theirs)
	})
}

// busy is how much of the machine programs took that are no part of the run, in
// percent: the median and the most of all cells. What the system does for the
// network by itself is in it.
func (r *results) busy() (middle, most float64, ok bool) {
	var all []float64
	for _, c := range r.Cells {
		if v, ok := c.Figures[others]; ok {
			all = append(all, v)
			most = max(most, v)
		}
	}
	return median(all), most, len(all) > 0
}

// count sums what f counts in a row's cells.
func (r *results) count(group string, which row, f func(*cell) int) (int, bool) {
	sum := 0
	cells := r.of(group, which)
	for _, c := range cells {
		sum += f(c)
	}
	return sum, len(cells) > 0
}

// bad are answers that were not right.
func bad(c *cell) int { return c.Wrong + c.Cut + c.Failed }

// median is the middle, or the mean of the two in the middle.
func median(v []float64) float64 {
	if len(v) == 0 {
		return math.NaN()
	}
	s := slices.Sorted(slices.Values(v))
	if n := len(s); n%2 == 0 {
		return (s[n/2-1] + s[n/2]) / 2
	}
	return s[len(s)/2]
}
