package sandbox

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/culvert-net/culvert/internal/app"
)

// progress tells a person how far the start is. On a terminal the step under
// way turns; elsewhere each finished step is one plain line.
type progress struct {
	out  io.Writer
	live bool // out is a terminal

	mu   sync.Mutex
	step string    // under way; "" none
	from time.Time // its begin
	stop chan struct{}
	wg   sync.WaitGroup
}

// spinner is what turns.
var spinner = []string{"⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"}

// turnEvery is how often it does.
const turnEvery = 100 * time.Millisecond

// newProgress writes to out until close.
func newProgress(out io.Writer) *progress {
	p := &progress{out: out, live: app.OnTerminal(out), stop: make(chan struct{})}
	if p.live {
		p.wg.Go(p.turn)
	}
	return p
}

// begin names the step that is under way.
func (p *progress) begin(step string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.step, p.from = step, time.Now()
}

// done ends the step with what came of it.
func (p *progress) done(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	took := time.Since(p.from).Round(10 * time.Millisecond)
	p.step = ""
	p.line("✓", fmt.Sprintf(format, args...)+fmt.Sprintf(" (%v)", took))
}

// say prints a line between steps, or above the one under way.
func (p *progress) say(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.line("·", fmt.Sprintf(format, args...))
}

// line prints one line. mu is held. Errors of a terminal that is gone are
// nobody's to see.
func (p *progress) line(mark, text string) {
	if p.live {
		_, _ = fmt.Fprintf(p.out, "\r\x1b[K%s %s\n", mark, text)
		return
	}
	_, _ = fmt.Fprintln(p.out, text)
}

// turn redraws the step under way until close.
func (p *progress) turn() {
	tick := time.NewTicker(turnEvery)
	defer tick.Stop()
	for i := 0; ; i++ {
		select {
		case <-p.stop:
			return
		case <-tick.C:
		}
		p.mu.Lock()
		if p.step != "" {
			_, _ = fmt.Fprintf(p.out, "\r\x1b[K%s %s", spinner[i%len(spinner)], p.step)
		}
		p.mu.Unlock()
	}
}

// close ends the drawing and leaves the cursor at the start of a line.
func (p *progress) close() {
	close(p.stop)
	p.wg.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.live && p.step != "" {
		_, _ = fmt.Fprint(p.out, "\r\x1b[K")
	}
}

// stopped says which of some nodes were stopped.
func (p *progress) stopped(specs []*spec, children []*child) {
	var running []*spec
	for _, c := range children {
		for _, s := range specs {
			if c.spec == s && c.wanted() {
				running = append(running, s)
			}
		}
	}
	if len(running) > 0 {
		p.say("stopped: %s", names(running))
	}
}
