package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/culvert-net/culvert/internal/kv"
)

// run commits one group after the other until the queue is closed.
func (s *Store) run() {
	defer close(s.ended)
	var group []*member
	defer func() {
		// When the queue is closed nobody is left to hear of this. Else a function
		// has ended the goroutine, and nobody shall wait for ever.
		s.breaks(errors.New("a function of Do ended its goroutine; start again"))
		s.fail(append(group, s.rest...), *s.broken.Load())
		for m := range s.queue {
			s.fail([]*member{m}, *s.broken.Load())
		}
	}()
	for {
		if group = s.gather(); len(group) == 0 {
			return
		}
		s.last = len(group)
		var err error
		if group, err = s.commit(group); err != nil {
			s.fail(group, err)
		} else {
			for _, m := range group {
				close(m.done)
			}
		}
		group = nil
	}
}

// gather waits for the first of a group and takes all that are there. While a
// group is written the next one comes together by itself; but those who were
// told at the same time come back one after the other, so a group waits a moment
// for as many as the last one had.
func (s *Store) gather() []*member {
	group := s.rest
	s.rest = nil
	if len(group) == 0 {
		m, ok := <-s.queue
		if !ok {
			return nil
		}
		group = append(group, m)
	}
	var timeout <-chan time.Time
	for len(group) < maxGroup {
		select {
		case m, ok := <-s.queue:
			if !ok {
				return group
			}
			group = append(group, m)
			continue
		default:
		}
		if len(group) >= s.last {
			return group
		}
		if timeout == nil {
			timeout = time.After(gatherTime)
		}
		select {
		case m, ok := <-s.queue:
			if !ok {
				return group
			}
			group = append(group, m)
		case <-timeout:
			return group
		}
	}
	return group
}

// commit runs the members' functions in one Update. It returns those it had
// room for, each with the error of its own function; an error is that of the
// Update.
func (s *Store) commit(group []*member) ([]*member, error) {
	if broken := s.broken.Load(); broken != nil {
		return group, *broken
	}
	// The context of no member ends a group.
	ctx := context.Background()
	var now generation
	wrote, count := false, len(group)
	err := s.kv.Update(ctx, func(t kv.Tx) (err error) {
		wrote, count = false, len(group) // it may be run again
		if now, err = generationOf(t); err != nil {
			return err
		}
		if now.restores != s.seen.restores || now.before(s.seen) {
			return ErrRestored
		}
		all := newLayer(t)
		own := newLayer(all)
		for i, m := range group {
			if all.bytes > maxGroupBytes {
				count = i
				break
			}
			if !m.run(own) {
				continue
			}
			if err := own.pour(all); err != nil {
				return err
			}
		}
		if all.changes == 0 {
			return nil
		}
		wrote = true
		now.commits++
		return errors.Join(now.put(t), all.pour(transaction{t}))
	})
	group, s.rest = group[:count], group[count:]
	if err != nil {
		return group, err
	}
	s.seen = now
	if wrote {
		if err := s.witness.note(now); err != nil {
			s.breaks(fmt.Errorf("the generation file cannot be written (%w); start again when it can", err))
		}
	}
	return group, nil
}

// run calls the function on an empty layer, and reports whether there is
// anything to keep.
func (m *member) run(l *layer) bool {
	l.reset()
	m.err, m.panic = nil, nil
	if !m.whose.CompareAndSwap(waiting, groups) && m.whose.Load() == callers {
		return false
	}
	t := &tx{layer: l}
	m.call(t)
	if m.err == nil {
		m.err = t.err
	}
	if m.err == nil && m.panic == nil {
		m.err = m.over()
	}
	return m.err == nil && m.panic == nil
}

// call keeps a panic of the function for its caller.
func (m *member) call(t *tx) {
	defer func() {
		t.layer = nil
		m.panic = recover()
	}()
	m.err = m.f(t)
}

// fail answers a group that was not written, or may not have been. What its
// functions found was true only with it, so each gets the group's error, even
// where its own function had returned another.
func (s *Store) fail(group []*member, err error) {
	if errors.Is(err, kv.ErrDamaged) || errors.Is(err, ErrRestored) {
		s.breaks(err)
	}
	for _, m := range group {
		m.err = fmt.Errorf("ledger store: %w", err)
		close(m.done)
	}
}

func (s *Store) breaks(err error) { s.broken.CompareAndSwap(nil, &err) }
