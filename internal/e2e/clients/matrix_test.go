//go:build clients

package clients

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// document is where the matrix is kept.
var document = filepath.Join("..", "..", "..", "docs", "clients.md")

// intro is what the document says of itself.
const intro = `# Clients

What OpenAI clients that are not ours can do with Culvert: in local mode
(` + "`bridge serve --upstream`" + `), and through three hops where each node is a
process. ` + "`make clients`" + ` runs them and writes this file; CI fails if it would be
another one. What each row asks is in ` + "`internal/e2e/clients`" + `.

✓ works in both modes; – is nothing that the client has. Numbers are of the notes
at the end.

A tick means that the contents were right: the answer repeats a word that the
client made up, tokens come in order, an error has the class, status and text
that it should, and the model server saw as many requests as it should, and the
cancellation where there is one.

`

// matrix is what became of every case.
type matrix struct {
	notes []string // footnotes, in the order of their numbers

	mu                      sync.Mutex      // guards what follows while clients run
	cells                   map[string]cell // by client, case and mode
	passed, failed, skipped int
}

// cell is one outcome.
type cell struct {
	ok   bool
	none bool   // the client has no such thing
	note string // why not, or what a success should be read with
}

func newMatrix() *matrix { return &matrix{cells: make(map[string]cell)} }

func place(c *client, name, mode string) string {
	return strings.Join([]string{c.command, name, mode}, "\n")
}

// set keeps an outcome.
func (x *matrix) set(m mode, c *client, name string, o outcome, ok bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	at := cell{ok: ok, none: o.Result == "none", note: o.Detail}
	switch {
	case !ok:
		x.failed++
	case at.none:
		x.skipped++
	default:
		x.passed++
	}
	x.cells[place(c, name, m.name)] = at
}

// show is what the matrix says of one case and client, with the number of a
// footnote if there is one.
func (x *matrix) show(c *client, name string) string {
	var wrong []string
	var last cell
	for _, m := range modes {
		last = x.cells[place(c, name, m.name)]
		if !last.ok {
			wrong = append(wrong, m.name)
		}
	}
	sign := "✓"
	switch {
	case len(wrong) > 0:
		return "✗ " + strings.Join(wrong, ", ")
	case last.none:
		sign = "–"
	}
	if last.note == "" {
		return sign
	}
	n := slices.Index(x.notes, last.note)
	if n < 0 {
		n = len(x.notes)
		x.notes = append(x.notes, last.note)
	}
	return fmt.Sprintf("%s [%d]", sign, n+1)
}

// table is the matrix with its footnotes, in Markdown.
func (x *matrix) table() (string, error) {
	x.notes = nil
	var b strings.Builder
	b.WriteString("| client | version |\n| --- | --- |\n")
	for _, c := range all {
		v, err := c.version()
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&b, "| %s | %s |\n", c.name, v)
	}
	for _, tt := range cases {
		if tt.group != "" {
			fmt.Fprintf(&b, "\n## %s\n\n|", tt.group)
			for _, c := range all {
				fmt.Fprintf(&b, " | %s", c.name)
			}
			b.WriteString(" |\n| --- |" + strings.Repeat(" --- |", len(all)) + "\n")
		}
		fmt.Fprintf(&b, "| %s |", tt.title)
		for _, c := range all {
			fmt.Fprintf(&b, " %s |", x.show(c, tt.name))
		}
		b.WriteString("\n")
	}
	if len(x.notes) > 0 {
		b.WriteString("\n## Notes\n\n")
	}
	for i, note := range x.notes {
		fmt.Fprintf(&b, "- [%d] %s\n", i+1, note)
	}
	return b.String(), nil
}

// keep writes the document if that was asked for, and else wants it to be the
// same. One with a failure in it is not written.
func (x *matrix) keep(t *testing.T) {
	t.Helper()
	table, err := x.table()
	if err != nil {
		t.Fatal(err)
	}
	switch n := len(all) * len(modes) * len(cases); {
	case x.failed > 0:
		return
	case len(x.cells) != n:
		t.Logf("%d of %d outcomes: docs/clients.md is left alone", len(x.cells), n)
		return
	}
	if *write {
		if err := os.WriteFile(document, []byte(intro+table), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if text, err := os.ReadFile(document); err != nil || string(text) != intro+table {
		t.Errorf("docs/clients.md is not what came out (%v): run `make clients`, and read what has changed", err)
	}
}

// summary is the matrix, and how many of all there were.
func (x *matrix) summary() string {
	table, err := x.table()
	if err != nil {
		table = err.Error() + "\n"
	}
	return fmt.Sprintf("%s\n%d passed, %d failed, %d skipped", table, x.passed, x.failed, x.skipped)
}
