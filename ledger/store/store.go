package store

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/culvert-net/culvert/internal/kv"
)

// Tx is kv.Tx, with the same rules. One name of a bucket is the package's own.
type Tx = kv.Tx

// Config says how a store is opened.
type Config struct {
	// Generation is the path of the second file. It belongs beside nothing that
	// is backed up together with the store: restored with it, it proves nothing.
	Generation string

	// Join says that the store is known to be current though this machine has
	// no second file for it: another gateway of the provider joins. Without it
	// such a store is taken for a restored copy.
	Join bool
}

var (
	// ErrRestored is wrapped by everything on a store that was put back to an
	// older state while it was open. Opening it again begins what is done about
	// that.
	ErrRestored = errors.New("the store was put back to an older state while it was open; start again")

	// ErrTooMuch is returned for a function that writes more than MaxChanges or
	// MaxBytes.
	ErrTooMuch = errors.New("too much is written at once; write it in pages")
)

// Store is an open store.
type Store struct {
	kv       kv.Store
	queue    chan *member // of those who wait; closed by Close after the last
	ended    chan struct{}
	restored atomic.Bool
	broken   atomic.Pointer[error] // what ended all trust in the store

	mu     sync.RWMutex // held to read while a Do begins
	closed bool         // guarded by mu
	doing  sync.WaitGroup

	// Owned by run.
	witness *witness
	seen    generation // the newest that is known to have been there
	last    int        // size of the last group
	rest    []*member  // for whom the last group had no room
}

// member is one call of Do.
type member struct {
	f    func(Tx) error
	over func() error // of its context

	// whose is waiting until the group takes it, or the caller leaves.
	whose atomic.Int32

	done  chan struct{}
	err   error // set when done is closed
	panic any   // of f, for the caller
}

// Whose a member is. Only the group runs its function.
const (
	waiting = iota
	callers
	groups
)

// Open begins to use a store, which others may use too if it can be shared.
func Open(ctx context.Context, s kv.Store, c Config) (*Store, error) {
	if c.Generation == "" {
		return nil, errors.New("ledger store: no path for the generation file")
	}
	g, restored, err := compare(ctx, s, c)
	if err != nil {
		return nil, fmt.Errorf("ledger store: %w", err)
	}
	w, err := openWitness(c.Generation, g)
	if err != nil {
		return nil, fmt.Errorf("ledger store: generation file: %w", err)
	}
	o := &Store{kv: s, queue: make(chan *member, maxGroup), ended: make(chan struct{}), witness: w, seen: g}
	o.restored.Store(restored)
	go o.run()
	return o, nil
}

// Restored reports whether the store is an older copy of itself, and that has
// not been settled: it may have forgotten what was signed, admitted or claimed.
func (s *Store) Restored() bool { return s.restored.Load() }

// Settle says that all who use the store have done what has to be done about a
// restored copy. Until then it counts as restored each time it is opened.
func (s *Store) Settle(ctx context.Context) error {
	err := s.do(ctx, func(t Tx) error {
		t.(*tx).layer.set(reserved, change{key: string(keyRestored), deleted: true})
		return nil
	})
	if err == nil {
		s.restored.Store(false)
	}
	return err
}

// Do runs f on the records, together with those of others who call it about
// now. When it returns nil, what f wrote is on the disk, and so is what f read.
// An error of f undoes what f wrote, and is returned, as is that of a context
// that ended before f had returned. Any other error means that nothing was
// written, too, unless it wraps kv.ErrUncertain: then it may have been. Calling
// Do again is safe with an f that decides by what it reads. After
// kv.ErrDamaged and ErrRestored nothing works any more.
//
// f may run more than once, on a goroutine that is not the caller's, has no
// effect but through its Tx until Do has returned, is short, and does not call
// the Store.
func (s *Store) Do(ctx context.Context, f func(Tx) error) error { return s.do(ctx, f) }

func (s *Store) do(ctx context.Context, f func(Tx) error) error {
	s.mu.RLock()
	if s.closed {
		s.mu.RUnlock()
		return kv.ErrClosed
	}
	s.doing.Add(1)
	s.mu.RUnlock()
	defer s.doing.Done()
	if err := ctx.Err(); err != nil {
		return err
	}
	m := &member{f: f, over: ctx.Err, done: make(chan struct{})}
	select {
	case s.queue <- m:
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case <-m.done:
	case <-ctx.Done():
		if m.whose.CompareAndSwap(waiting, callers) {
			return ctx.Err()
		}
		<-m.done // f runs or has run: what became of it is known soon
	}
	if m.panic != nil {
		panic(m.panic)
	}
	return m.err
}

// View runs f on what is durable. It does not wait for those who write.
func (s *Store) View(ctx context.Context, f func(Tx) error) error {
	s.mu.RLock()
	closed := s.closed
	s.mu.RUnlock()
	if closed {
		return kv.ErrClosed
	}
	if broken := s.broken.Load(); broken != nil {
		return *broken
	}
	return s.kv.View(ctx, f)
}

// Close waits for what was begun. It may be called twice.
func (s *Store) Close() error {
	s.mu.Lock()
	again := s.closed
	s.closed = true
	s.mu.Unlock()
	if !again {
		s.doing.Wait()
		close(s.queue)
	}
	<-s.ended
	if again {
		return nil
	}
	return s.witness.Close()
}
