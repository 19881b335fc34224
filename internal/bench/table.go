package bench

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/culvert-net/culvert/internal/app"
)

// report is the whole result as Markdown that is also readable as text.
func report(r *results, groups []*group) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n", r.Machine.line())
	fmt.Fprintf(&b, "%s of %g s a cell; medians of rounds; \"added\" is to the upstream alone in the same round.\n", app.Count(r.Rounds, "round"), r.Seconds)
	if middle, most, ok := r.busy(); ok {
		fmt.Fprintf(&b, "Programs that are no part of it had %.0f %% of the machine meanwhile, at most %.0f %% in one cell.\n", middle, most)
	}
	for _, g := range groups {
		if text := groupTable(r, g); text != "" {
			fmt.Fprintf(&b, "\n%s (%s)\n\n%s", g.title, g.name, text)
		}
	}
	if len(r.Memory) > 0 {
		fmt.Fprintf(&b, "\nMemory of each program, RssAnon in MB\n\n%s", memoryTable(r))
	}
	if len(r.Bars) > 0 {
		fmt.Fprintf(&b, "\nFigures to reach\n\n%s", barTable(r))
	}
	return b.String()
}

func groupTable(r *results, g *group) string {
	head := []string{""}
	for _, c := range g.columns {
		head = append(head, c.title)
	}
	programs := slices.ContainsFunc(g.columns, func(c column) bool { return c.title == colCPU.title })
	if programs {
		head = append(head, "of which")
	}
	t := [][]string{head}
	for _, which := range g.rows {
		cells := r.of(g.name, which)
		if len(cells) == 0 {
			continue
		}
		line := []string{which.title()}
		for _, c := range g.columns {
			line = append(line, c.value(r, g.name, which))
		}
		if programs {
			line = append(line, parts(r, g.name, which))
		}
		t = append(t, line)
	}
	if len(t) == 1 {
		return ""
	}
	return markdown(t)
}

// parts is the CPU time of each program of a row, if there are several.
func parts(r *results, group string, which row) string {
	var names []string
	for _, c := range r.of(group, which) {
		for name := range c.CPU {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	if len(names) < 2 {
		return ""
	}
	slices.Sort(names)
	var text []string
	for _, name := range names {
		v, ok := r.each(group, which, func(c *cell) (float64, bool) { v, ok := c.CPU[name]; return v, ok })
		text = append(text, name+" "+show(v, ok))
	}
	return strings.Join(text, ", ")
}

func memoryTable(r *results) string {
	t := [][]string{{"", "program", "idle", "after the load", "after bulk"}}
	mb := func(n int64) string {
		if n == 0 {
			return none
		}
		return show(float64(n)/1e6, true)
	}
	for _, m := range r.Memory {
		t = append(t, []string{m.Row.title(), m.Program, mb(m.Idle), mb(m.Loaded), mb(m.Bulk)})
	}
	return markdown(t)
}

func barTable(r *results) string {
	t := [][]string{{"", "figure", "bar", ""}}
	for _, v := range r.Bars {
		sign, said := "≤", "MISS"
		if v.Least {
			sign = "≥"
		}
		if v.Ok {
			said = "ok"
		}
		unit := ""
		if v.Unit != "" {
			unit = " " + v.Unit
		}
		t = append(t, []string{v.What, show(v.Figure, true) + unit, fmt.Sprintf("%s %v%s", sign, v.Bar, unit), said})
	}
	return markdown(t)
}

// markdown aligns a table: its first line is the head.
func markdown(t [][]string) string {
	width := slices.Repeat([]int{len("---")}, len(t[0])) // the least that is a line below a head
	for _, line := range t {
		for i, text := range line {
			width[i] = max(width[i], utf8.RuneCountInString(text))
		}
	}
	var b strings.Builder
	for n, line := range t {
		for i, text := range line {
			fmt.Fprintf(&b, "| %-*s ", width[i], text)
		}
		b.WriteString("|\n")
		if n == 0 {
			for _, w := range width {
				b.WriteString("| " + strings.Repeat("-", w) + " ")
			}
			b.WriteString("|\n")
		}
	}
	return b.String()
}
