package bench

import (
	"fmt"
	"strconv"
	"strings"
)

// column is a figure of a table.
type column struct {
	title string
	value func(r *results, group string, which row) string
}

// plain is the median of a metric.
func plain(title string, m metric) column {
	return column{title, func(r *results, group string, which row) string {
		return show(r.figure(group, which, m))
	}}
}

// over is the median of what a row adds to the upstream alone.
func over(title string, m metric) column {
	return column{title, func(r *results, group string, which row) string {
		if which == rowUpstream {
			return ""
		}
		return show(r.addedFigure(group, which, m))
	}}
}

// paying is the median of what a paid row adds to the same one, unpaid.
func paying(m metric) column {
	return column{"paying adds", func(r *results, group string, which row) string {
		if !which.paid() {
			return ""
		}
		return show(r.more(group, which, rowKey, m))
	}}
}

func counted(title string, f func(*cell) int) column {
	return column{title, func(r *results, group string, which row) string {
		n, ok := r.count(group, which, f)
		if !ok {
			return none
		}
		return strconv.Itoa(n)
	}}
}

var (
	colP50      = plain("p50 ms", p50)
	colP90      = plain("p90 ms", p90)
	colP99      = plain("p99 ms", p99)
	colAdded50  = over("added p50", p50)
	colAdded99  = over("added p99", p99)
	colAnswers  = plain("answers/s", perSecond)
	colCPU      = plain("CPU µs", cpuAnswer)
	colCPUChunk = plain("CPU µs/chunk", cpuChunk)
	colUpstream = plain("upstream's CPU", cpuUpstream)
	colClient   = plain("client's CPU", cpuClient)
	colFirst50  = plain("first p50 ms", first50)
	colFirst99  = plain("first p99", first99)
	colGap50    = plain("gap p50", gap50)
	colGap99    = plain("gap p99", gap99)
	colDelay50  = plain("delay p50", delay50)
	colDelay99  = plain("delay p99", delay99)
	colChunks   = plain("chunks/s", chunksPerSecond)
	colMB       = plain("MB/s", megabytes)
	colTotal    = counted("answers", func(c *cell) int { return c.Right + bad(c) })
	colBad      = counted("wrong, cut, failed", bad)
	colStale    = counted("stale connections", func(c *cell) int { return c.Stale })

	colPaid50      = paying(p50)
	colPaidFirst50 = paying(first50)

	colChunkRatio = column{"× ReverseProxy", func(r *results, group string, which row) string {
		return show(r.ratio(group, which, rowProxy, chunksPerSecond))
	}}
)

// none stands where there is no figure.
const none = "–"

// show is a figure with three digits that count.
func show(v float64, ok bool) string {
	switch a := max(v, -v); {
	case !ok:
		return none
	case v == 0:
		return "0"
	case a >= 100:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case a >= 10:
		return strconv.FormatFloat(v, 'f', 1, 64)
	case a >= 0.995:
		return strconv.FormatFloat(v, 'f', 2, 64)
	}
	return strconv.FormatFloat(v, 'f', 3, 64)
}

// progress is a cell in a few words.
func progress(r *results, g *group, c *cell) string {
	one := &results{Cells: []*cell{c}}
	if base, ok := r.peer(c, rowUpstream); ok && base != c {
		one.Cells = append(one.Cells, base)
	}
	if base, ok := r.peer(c, rowProxy); ok && base != c {
		one.Cells = append(one.Cells, base)
	}
	if base, ok := r.peer(c, rowKey); ok && base != c {
		one.Cells = append(one.Cells, base)
	}
	var parts []string
	for _, col := range g.columns {
		if v := col.value(one, c.Group, c.Row); v != none && v != "" {
			parts = append(parts, col.title+" "+v)
		}
	}
	if n := bad(c); n > 0 {
		parts = append(parts, fmt.Sprintf("WRONG %d CUT %d FAILED %d", c.Wrong, c.Cut, c.Failed))
	}
	return strings.Join(parts, "  ")
}
