package sandbox

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// watch says which nodes die, until ctx ends. The sandbox goes on: killing a
// relay is what it is for.
func (s *sandbox) watch(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case c := <-s.died:
			s.progress.say("%s (pid %d) died: %v", c.spec.name, c.pid, c.reason())
			if text := tail(c.spec.log); text != "" {
				s.progress.say("the end of %s:\n%s", c.spec.log, strings.TrimSuffix(text, "\n"))
			}
		}
	}
}

// reason is why a node ended.
func (c *child) reason() error {
	if c.err == nil {
		return errors.New("it ended by itself")
	}
	return c.err
}

// stop ends all nodes in order: the bridge, which takes requests in, then the
// providers, which answer them, then the relays, then those who know who is there,
// then the chain.
func (s *sandbox) stop() error {
	var errs []error
	for _, program := range [][]*spec{{s.plan.bridge}, s.plan.providers, s.plan.relays, s.plan.memories, s.plan.chains()} {
		var wg sync.WaitGroup
		var mu sync.Mutex
		for _, c := range s.children {
			if !slices.Contains(program, c.spec) {
				continue
			}
			wg.Go(func() {
				err := c.stop()
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					errs = append(errs, fmt.Errorf("stopping %s: %w", c.spec.name, err))
				}
			})
		}
		wg.Wait()
		s.progress.stopped(program, s.children)
	}
	s.watchers.Wait()
	s.plan.held.release()
	return errors.Join(errs...)
}
