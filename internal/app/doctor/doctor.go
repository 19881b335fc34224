package doctor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"

	"github.com/culvert-net/culvert/internal/app"
)

// Level is how bad a finding is.
type Level string

// The levels.
const (
	OK      Level = "ok"
	Warning Level = "warning" // works, but not as it should, or not for long
	Problem Level = "problem" // does not work
	Skipped Level = "skipped" // could not be looked at
)

// Finding is one line: what was found, and what to do about it.
type Finding struct {
	Check string `json:"check"` // what was looked at; Run fills it in if it is empty
	Level Level  `json:"level"`
	Found string `json:"found"`
	Do    string `json:"do,omitempty"` // for warnings and problems
}

// Fine is a finding that needs nothing done.
func Fine(format string, args ...any) Finding {
	return Finding{Level: OK, Found: fmt.Sprintf(format, args...)}
}

// Warn is a finding that a person may live with.
func Warn(do, format string, args ...any) Finding {
	return Finding{Level: Warning, Found: fmt.Sprintf(format, args...), Do: do}
}

// Bad is a finding that keeps the node from working.
func Bad(do, format string, args ...any) Finding {
	return Finding{Level: Problem, Found: fmt.Sprintf(format, args...), Do: do}
}

// Skip is for what could not be looked at, and why.
func Skip(format string, args ...any) Finding {
	return Finding{Level: Skipped, Found: fmt.Sprintf(format, args...)}
}

// Check is one thing to look at.
type Check struct {
	Name  string
	Limit time.Duration // its context's; 0 means ten seconds
	// Run returns what it found; nothing if there is nothing to look at here. It
	// returns soon after ctx ended.
	Run func(ctx context.Context) []Finding
}

// Report is everything that was found, as --json prints it.
type Report struct {
	Program  string    `json:"program"`
	Version  string    `json:"version"`
	OK       bool      `json:"ok"` // no problem; there may be warnings
	Problems int       `json:"problems"`
	Warnings int       `json:"warnings"`
	Findings []Finding `json:"findings"`
}

// Output is where a report goes.
type Output struct {
	Out, Err io.Writer // results; progress, if a person sees it
	JSON     bool
}

// Run goes through checks in their order and prints what they find. The error
// says how many problems there are, if there are any: exit code 1.
func Run(ctx context.Context, program string, to Output, checks []Check) error {
	r := &Report{Program: program, Version: app.Version(), Findings: []Finding{}}
	p := newPrinter(to)
	for _, c := range checks {
		p.line.Show("%s", c.Name)
		found := examine(ctx, c)
		p.line.Clear()
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		for _, f := range found {
			r.add(f)
			if err := p.finding(f); err != nil {
				return err
			}
		}
	}
	r.OK = r.Problems == 0
	if err := p.summary(r); err != nil {
		return err
	}
	if !r.OK {
		return fmt.Errorf("%s found", app.Count(r.Problems, "problem"))
	}
	return nil
}

// examine runs one check within its limit.
func examine(ctx context.Context, c Check) []Finding {
	limit := c.Limit
	if limit == 0 {
		limit = defaultLimit
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	found := c.Run(ctx)
	if len(found) == 0 && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		found = []Finding{Bad("Try again; if it stays so, something on this machine hangs.", "not done within %v", limit)}
	}
	for i := range found {
		if found[i].Check == "" {
			found[i].Check = c.Name
		}
		// One finding is one line, whatever an error's text holds.
		found[i].Found, found[i].Do = oneLine(found[i].Found), oneLine(found[i].Do)
	}
	return found
}

func (r *Report) add(f Finding) {
	r.Findings = append(r.Findings, f)
	switch f.Level {
	case Problem:
		r.Problems++
	case Warning:
		r.Warnings++
	}
}

// oneLine joins the lines of a text, and drops what a terminal would obey.
func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, s)
	return strings.Join(strings.Fields(s), " ")
}
