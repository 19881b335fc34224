package app

import (
	"fmt"
	"io"
)

// Progress is a line that tells a person how far something has come, and that the
// next one replaces. Where no person looks it says nothing. What is lost of it is
// no loss.
type Progress struct {
	out  io.Writer
	live bool
	said bool
}

// NewProgress writes to out, which is a program's stderr.
func NewProgress(out io.Writer) *Progress { return &Progress{out: out, live: OnTerminal(out)} }

// Show replaces the line.
func (p *Progress) Show(format string, args ...any) {
	if p.live {
		p.said = true
		_, _ = fmt.Fprintf(p.out, eraseLine+"... "+format, args...)
	}
}

// Clear takes the line away, so that something else can be written there.
func (p *Progress) Clear() {
	if p.said {
		p.said = false
		_, _ = io.WriteString(p.out, eraseLine)
	}
}

// eraseLine goes back to the beginning of a terminal's line, and empties it.
const eraseLine = "\r\x1b[K"
