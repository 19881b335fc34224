package app

import (
	"io"
	"sync"
	"time"
)

// slowAfter is how long a person sees nothing without wondering whether anything
// happens.
const slowAfter = 3 * time.Second

// Slow says on a person's terminal what is waited for, if it takes long, until done
// is called. Where no person looks it says nothing.
func Slow(out io.Writer, what string) (done func()) { return slow(NewProgress(out), what) }

func slow(p *Progress, what string) (done func()) {
	var mu sync.Mutex
	over := false
	t := time.AfterFunc(slowAfter, func() {
		mu.Lock()
		defer mu.Unlock()
		if !over {
			p.Show("%s", what)
		}
	})
	return func() {
		t.Stop()
		mu.Lock()
		defer mu.Unlock()
		over = true
		p.Clear()
	}
}
