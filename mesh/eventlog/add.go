package eventlog

import (
	"context"
	"fmt"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"github.com/culvert-net/culvert/mesh/event"
	"github.com/culvert-net/culvert/mesh/world"
)

// Add stores events that were verified: by Admission.Check, or because they were
// made here. When it returns without an error they are on the disk, but for
// those in Refused: what depends on what is stored (doubles, quotas, pruned
// epochs) is decided here, once more and for good. After an error nothing of the
// call is stored, unless ctx ended it while it was being written. Descriptors
// are stored without a stamp.
func (l *Log) Add(ctx context.Context, events []*event.Event, via Via, now time.Time) (Result, error) {
	if len(events) > groupEvents {
		return Result{}, fmt.Errorf("%d events at once, more than %d: add them in parts", len(events), groupEvents)
	}
	if len(events) == 0 {
		return Result{}, nil
	}
	entries := make([]entry, len(events))
	for i, e := range events {
		if e.World() != l.cfg.World.ID {
			return Result{}, fmt.Errorf("event %s is %w: %s", e.ID.Short(), ErrOtherWorld, e.World().Short())
		}
		entries[i] = newEntry(e, e.Canonical())
	}
	return l.submit(ctx, newRequest(entries, via, now))
}

// entry is an event on its way into the log.
type entry struct {
	id         world.Hash
	epoch      uint64
	kind       event.Type
	author     [32]byte
	subject    world.Hash
	hasSubject bool
	canonical  []byte
	stamp      []byte // a descriptor's ticket, verified; nil: none
}

func newEntry(e *event.Event, canonical []byte) entry {
	x := entry{id: e.ID, epoch: e.Epoch(), kind: e.Type(), author: e.Author(), canonical: canonical}
	x.subject, x.hasSubject = e.Subject()
	return x
}

// request is one call of Add, waiting for the transaction that takes it.
type request struct {
	entries []entry
	bytes   int
	via     Via
	now     time.Time

	// Set by who commits, before done is closed.
	result Result
	err    error
	done   chan struct{}
}

func newRequest(entries []entry, via Via, now time.Time) *request {
	r := &request{entries: entries, via: via, now: now, done: make(chan struct{})}
	for i := range entries {
		r.bytes += len(entries[i].canonical) + len(entries[i].stamp)
	}
	return r
}

// submit hands r to the next transaction, which is run by whichever waiting
// caller comes first: those that come while one is written share the next.
func (l *Log) submit(ctx context.Context, r *request) (Result, error) {
	l.mu.Lock()
	l.waiting = append(l.waiting, r)
	l.mu.Unlock()
	for {
		select {
		case <-r.done:
			return r.result, r.err
		case l.turn <- struct{}{}:
			l.commit(l.take())
			<-l.turn
		case <-ctx.Done():
			if l.withdraw(r) {
				return Result{}, ctx.Err()
			}
			<-r.done // it is being written
			return r.result, r.err
		}
	}
}

// take returns what goes into one transaction.
func (l *Log) take() []*request {
	l.mu.Lock()
	defer l.mu.Unlock()
	events, bytes, n := 0, 0, 0
	for _, r := range l.waiting {
		events, bytes = events+len(r.entries), bytes+r.bytes
		if n > 0 && (events > groupEvents || bytes > groupBytes) {
			break
		}
		n++
	}
	group := slices.Clone(l.waiting[:n])
	l.waiting = slices.Delete(l.waiting, 0, n)
	return group
}

// withdraw takes r back, unless it was taken.
func (l *Log) withdraw(r *request) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	i := slices.Index(l.waiting, r)
	if i < 0 {
		return false
	}
	l.waiting = slices.Delete(l.waiting, i, i+1)
	return true
}

// commit writes a group of requests in one transaction and ends them.
func (l *Log) commit(group []*request) {
	if len(group) == 0 { // another's transaction took it
		return
	}
	err := l.update(func(tx *bbolt.Tx) error {
		w := newWriter(l, tx)
		for _, r := range group {
			if err := w.request(r); err != nil {
				return err
			}
		}
		return w.finish()
	})
	added := 0
	for _, r := range group {
		if r.err = err; err != nil {
			r.result = Result{}
		}
		added += r.result.Added
		for _, x := range r.result.Refused {
			l.refuse(refused{id: r.entries[x.Index].id, reason: x.Reason, via: r.via, at: r.now})
		}
	}
	if added > 0 {
		l.mu.Lock()
		close(l.updated)
		l.updated = make(chan struct{})
		l.mu.Unlock()
	}
	for _, r := range group {
		close(r.done)
	}
}
