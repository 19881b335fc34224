package app

import (
	"bytes"
	"testing"
)

// A line replaces the one before, and nothing is left of the last; where no person
// looks there is none.
func TestProgress(t *testing.T) {
	var out bytes.Buffer
	p := &Progress{out: &out, live: true}
	p.Clear()
	p.Show("%d of %d", 1, 2)
	p.Show("done")
	p.Clear()
	p.Clear()
	if got, want := out.String(), "\r\x1b[K... 1 of 2\r\x1b[K... done\r\x1b[K"; got != want {
		t.Errorf("a person sees %q, want %q", got, want)
	}
	out.Reset()
	p = NewProgress(&out)
	p.Show("1")
	p.Clear()
	if out.Len() > 0 {
		t.Errorf("a file gets %q", out.String())
	}
}
