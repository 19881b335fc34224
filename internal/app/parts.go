package app

import (
	"context"
	"errors"
	"fmt"
)

// Part is a long-lived piece of a program.
type Part struct {
	Name string
	// Run blocks until ctx ends, and then until the part has stopped. Ending
	// earlier ends the program.
	Run func(ctx context.Context) error
}

// RunParts runs all parts until ctx ends or one of them does. Then it stops
// them one after the other, the last first: a part is told to stop only when
// those that were listed after it, and so may need it, have stopped.
//
// The error is that of the part which ended first, unless ctx had ended.
func RunParts(ctx context.Context, parts ...Part) error {
	type running struct {
		stop context.CancelFunc
		done chan struct{} // closed when err is set
		err  error
	}
	first := make(chan int, len(parts))
	all := make([]*running, len(parts))
	for i, p := range parts {
		// Not a child of ctx: it is stopped in its turn.
		own, stop := context.WithCancel(context.WithoutCancel(ctx))
		r := &running{stop: stop, done: make(chan struct{})}
		all[i] = r
		go func() { // waited for below
			r.err = p.Run(own)
			close(r.done)
			first <- i
		}()
	}

	ended := -1
	select {
	case <-ctx.Done():
	case ended = <-first:
	}
	errs := make([]error, 0, len(parts))
	for i := len(parts) - 1; i >= 0; i-- {
		r := all[i]
		r.stop()
		<-r.done
		switch {
		case i == ended && r.err == nil:
			errs = append(errs, fmt.Errorf("%s ended by itself", parts[i].Name))
		case i == ended, r.err != nil && !errors.Is(r.err, context.Canceled):
			errs = append(errs, fmt.Errorf("%s: %w", parts[i].Name, r.err))
		}
	}
	return errors.Join(errs...)
}
