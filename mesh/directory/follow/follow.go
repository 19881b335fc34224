package follow

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/culvert-net/culvert/mesh/directory"
	"github.com/culvert-net/culvert/mesh/directory/bundle"
	"github.com/culvert-net/culvert/mesh/directory/mirror"
	"github.com/culvert-net/culvert/mesh/world"
)

// Mirror is somebody who keeps the directory.
type Mirror struct {
	Key  [ed25519.PublicKeySize]byte // transport key
	Addr string                      // of a seed, as in the world file; "" for a node of the directory
}

// Opener opens streams to mirrors.
type Opener interface {
	// Open opens a stream of the directory protocol. It does not retry. Close on
	// the stream must unblock a pending Read or Write; if the stream has a
	// Reset() error method, that is called instead when an exchange was given up.
	Open(ctx context.Context, m Mirror) (io.ReadWriteCloser, error)
}

// Config is what a Follower needs.
type Config struct {
	World *world.World    // required; its seeds and mirrors are asked first
	Store *mirror.Store   // required
	View  *directory.View // required; nobody else changes it

	// Direct opens streams to seeds by their addresses. Required.
	Direct Opener

	// Circuits opens streams to nodes of the directory, each over a circuit of
	// its own. Bridges have it, and ask seeds directly only while they have no
	// directory. Nil asks seeds directly always.
	Circuits Opener

	// Self is the own transport key, which is not asked; zero for none.
	Self [ed25519.PublicKeySize]byte

	// Enough reports whether a snapshot is good enough to work with, for Wait.
	// Nil means any node but this one.
	Enough func(*directory.Snapshot) bool

	Log *slog.Logger // nil discards
}

// Follower keeps a view current.
type Follower struct {
	cfg   Config   // immutable
	seeds []Mirror // but for this node itself; immutable

	refresh chan struct{} // one token: ask now

	mu        sync.Mutex
	status    Status    // but for what the store and the view say; guarded by mu
	refreshed time.Time // when Refresh last did something; guarded by mu

	// Owned by Run.
	bad    int       // rounds since one was good
	late   int       // rounds since one found what is due
	failed bool      // did mirrors not agree in the last round?
	read   readRoot  // what was last read
	woe    time.Time // since when there has been no directory; zero while there is one
	told   string    // what operators have heard of that
}

// readRoot is a bundle's content with the root it was read under.
type readRoot struct {
	root    world.Hash
	content *directory.Content
}

// New checks cfg. It starts nothing.
func New(cfg Config) (*Follower, error) {
	if cfg.World == nil || cfg.Store == nil || cfg.View == nil || cfg.Direct == nil {
		return nil, errors.New("directory follower: World, Store, View and Direct are required")
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	f := &Follower{cfg: cfg, refresh: make(chan struct{}, 1)}
	if f.cfg.Enough == nil {
		f.cfg.Enough = f.anyOther
	}
	for _, list := range [][]string{cfg.World.Seeds, cfg.World.Mirrors} {
		for _, seed := range list {
			a, err := world.ParseAddr(seed)
			if err != nil {
				return nil, &world.FieldError{Field: "seeds", Problem: err.Error()}
			}
			if cfg.Self == [32]byte{} || a.Key != cfg.Self {
				f.seeds = append(f.seeds, Mirror{Key: a.Key, Addr: seed})
			}
		}
	}
	return f, nil
}

// anyOther is the default of Enough.
func (f *Follower) anyOther(s *directory.Snapshot) bool {
	_, self := s.Node(f.cfg.Self)
	return s.Len() > 1 || s.Len() == 1 && !self
}

// Run follows until ctx ends; it is called once. What is on disk is shown before
// anybody is asked.
func (f *Follower) Run(ctx context.Context) error {
	due := time.Now().Round(0) // by the clock on the wall, which goes on while a machine sleeps
	for {
		updated := f.cfg.Store.Updated()
		now := time.Now()
		f.show(now)
		if f.mayAsk() && !now.Round(0).Before(due) {
			f.round(ctx, now)
			if ctx.Err() != nil {
				return nil
			}
			now = time.Now()
			due = now.Round(0).Add(f.pause(now))
			continue
		}
		timer := time.NewTimer(min(max(due.Sub(now.Round(0)), 0), clockTick))
		if !f.mayAsk() {
			timer.Reset(clockTick)
		}
		select {
		case <-timer.C:
		case <-updated: // by a round, or a signer among us
		case <-f.refresh:
			due = time.Now().Round(0)
		case <-ctx.Done():
			timer.Stop()
			return nil
		}
		timer.Stop()
	}
}

// mayAsk reports whether there is anybody to ask, and any sense in it: once
// signers contradicted themselves, nothing is believed any more.
func (f *Follower) mayAsk() bool {
	return f.cfg.Store.Proof() == nil && (len(f.seeds) > 0 || f.cfg.Circuits != nil && f.cfg.View.Snapshot().Len() > 0)
}

// Wait returns once the view is Enough. It fails only with ctx.
func (f *Follower) Wait(ctx context.Context) error {
	for {
		updated := f.cfg.View.Updated()
		if f.cfg.Enough(f.cfg.View.Snapshot()) {
			return nil
		}
		select {
		case <-updated:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Refresh asks now, at most once in refreshEvery. It is for relays that are
// asked for a node they do not know, and signers that are behind. A bridge must
// not call it: when it asks may not depend on what it wants.
func (f *Follower) Refresh() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if now := time.Now(); now.Sub(f.refreshed) >= refreshEvery {
		f.refreshed = now
		select {
		case f.refresh <- struct{}{}:
		default:
		}
	}
}

// show makes the view show the newest bundle, if it may be used now.
func (f *Follower) show(now time.Time) {
	b := f.cfg.Store.Newest()
	if b == nil || f.cfg.Store.Proof() != nil || !directory.Usable(f.cfg.World, b.Root.Epoch, now) {
		f.cfg.View.Show(nil)
		return
	}
	if id := b.Root.ID(); f.read.content == nil || f.read.root != id {
		c := directory.ReadContent(f.cfg.World, b.Root.Epoch, b.Descriptors(), f.read.content, b.Sheets()...)
		f.read = readRoot{id, c}
		if c.LeftOut() > 0 {
			f.cfg.Log.Warn("descriptors or price sheets of the directory do not stand up", "count", c.LeftOut())
		}
	}
	f.cfg.View.Show(f.read.content)
}

// round asks mirrors once, and takes a newer bundle if there is one.
func (f *Follower) round(ctx context.Context, now time.Time) {
	mirrors, opener := f.choose()
	need := min(agreement, len(mirrors))
	replies := f.askAll(ctx, opener, mirrors, need)
	v := judge(f.cfg.World, f.cfg.Store, replies, need, time.Now())
	err := v.err
	if err == nil {
		err = f.take(ctx, opener, v)
	}
	if ctx.Err() == nil {
		f.note(err, clock(f.cfg.World, replies, need), replies, now)
	}
}

// choose picks whom to ask: mirrors of the directory over circuits if there is
// one, seeds else. The choice is uniform, and depends on nothing that is wanted.
func (f *Follower) choose() ([]Mirror, Opener) {
	all, opener := f.seeds, f.cfg.Direct
	snap := f.cfg.View.Snapshot()
	if nodes := slices.Concat(snap.Relays(), snap.Ends()); f.cfg.Circuits != nil && len(nodes) >= agreement {
		opener = f.cfg.Circuits
		all = nil
		for _, n := range nodes {
			all = append(all, Mirror{Key: n.Key})
		}
	}
	chosen := make([]Mirror, 0, fanout)
	for _, i := range rand.Perm(len(all))[:min(fanout, len(all))] {
		chosen = append(chosen, all[i])
	}
	return chosen, opener
}

// askAll asks mirrors for their roots, at once. Once so many as are needed name a
// root that may be taken, it does not wait much longer for the others: one that
// keeps silent is to hold up nobody.
func (f *Follower) askAll(ctx context.Context, opener Opener, mirrors []Mirror, need int) []reply {
	var all sync.WaitGroup
	defer all.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type numbered struct {
		at int
		reply
	}
	came := make(chan numbered, len(mirrors))
	replies := make([]reply, len(mirrors))
	for i, m := range mirrors {
		replies[i] = reply{mirror: m, err: errUnreachable} // until it has answered
		all.Go(func() { came <- numbered{i, f.ask(ctx, opener, m)} })
	}
	var late <-chan time.Time // nil: enough is not known yet
	for range mirrors {
		var n numbered
		select {
		case n = <-came:
		case <-late:
			cancel()
			n = <-came
		}
		replies[n.at] = n.reply
		if late == nil && judge(f.cfg.World, f.cfg.Store, replies, need, time.Now()).err == nil {
			late = time.After(lateness)
		}
	}
	return replies
}

// ask asks one mirror for its roots.
func (f *Follower) ask(ctx context.Context, opener Opener, m Mirror) reply {
	r := reply{mirror: m}
	r.err = exchange(ctx, opener, m, rootsTimeout, func(rw io.ReadWriter) (err error) {
		asked := time.Now()
		r.roots, err = mirror.AskRoots(rw, f.cfg.World.ID)
		if err == nil {
			answered := time.Now()
			r.ahead = r.roots.Time.Sub(asked.Add(answered.Sub(asked) / 2).Round(0))
		}
		return err
	})
	if r.err != nil {
		f.cfg.Log.Debug("mirror not asked", "err", r.err)
	}
	return r
}

// take believes a root and fetches its bundle from one of those that named it.
func (f *Follower) take(ctx context.Context, opener Opener, v verdict) error {
	have := f.cfg.Store.Newest()
	if have != nil && have.Root.ID() == v.root.ID() {
		return nil
	}
	if err := f.cfg.Store.Believe(v.root); err != nil {
		return err
	}
	b, err := f.fetch(ctx, opener, v, have)
	if err != nil {
		return fmt.Errorf("fetching the directory: %w", err)
	}
	return f.cfg.Store.Put(b)
}

// fetch takes the bundle of a root from one of those that named it. The next one is
// asked when one fails, and beside one that takes long.
func (f *Follower) fetch(ctx context.Context, opener Opener, v verdict, have *bundle.Bundle) (*bundle.Bundle, error) {
	type fetched struct {
		b   *bundle.Bundle
		err error
	}
	came := make(chan fetched, len(v.from))
	order := rand.Perm(len(v.from))
	running := 0
	ctx, cancel := context.WithCancel(ctx)
	var all sync.WaitGroup
	defer all.Wait()
	defer cancel()
	next := func() {
		if len(order) == 0 {
			return
		}
		from := v.from[order[0]]
		order = order[1:]
		running++
		all.Go(func() {
			var r fetched
			r.err = exchange(ctx, opener, from, bundleTimeout, func(rw io.ReadWriter) (err error) {
				r.b, err = mirror.AskBundle(rw, f.cfg.World.ID, v.root, have)
				return err
			})
			came <- r
		})
	}
	var failed error
	next()
	for running > 0 {
		select {
		case r := <-came:
			running--
			if r.err == nil {
				return r.b, nil
			}
			if failed == nil || errors.Is(r.err, bundle.ErrShrunken) {
				failed = r.err
			}
			next()
		case <-time.After(bundlePatience):
			next()
		}
	}
	return nil, failed
}

// pause is the time to the next round. It depends on the time and on what there
// is, and on nothing that is wanted.
func (f *Follower) pause(now time.Time) time.Duration {
	w := f.cfg.World
	b := f.cfg.Store.Newest()
	switch {
	case b == nil || !directory.Usable(w, b.Root.Epoch, now):
		f.bad++
		return backoff(firstRetry, min(lastRetry, w.EpochLen()/4), f.bad-1)
	case b.Root.Epoch >= w.Epoch(now) && !f.failed:
		f.bad, f.late = 0, 0
		// Signers need some seconds; then everybody comes, spread over a while.
		length := w.EpochLen()
		return w.EpochStart(b.Root.Epoch+1).Sub(now) + length/16 + rand.N(length/4)
	}
	f.bad = 0
	f.late++
	return backoff(firstAgain, w.EpochLen()/8, f.late-1)
}

// backoff is the n-th pause of a series that doubles from first up to last,
// give or take a quarter, so that nodes that started together part ways.
func backoff(first, last time.Duration, n int) time.Duration {
	d := first
	for ; n > 0 && d < last; n-- {
		d *= 2
	}
	d = min(d, last)
	return d - d/4 + rand.N(d/2+1)
}

// errUnreachable is joined to what kept a stream from being opened.
var errUnreachable = errors.New("mirror not reachable")

// exchange opens a stream to a mirror and lets talk use it, for at most timeout.
func exchange(ctx context.Context, opener Opener, m Mirror, timeout time.Duration, talk func(io.ReadWriter) error) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	stream, err := opener.Open(ctx, m)
	if err != nil {
		return fmt.Errorf("%w: %w", errUnreachable, err)
	}
	aborted := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(aborted)
		abort(stream)
	})
	err = talk(stream)
	if !stop() {
		<-aborted
		if err != nil {
			return fmt.Errorf("%w: %w", ctx.Err(), err)
		}
		return nil // it was done just in time
	}
	if err != nil {
		abort(stream)
		return err
	}
	_ = stream.Close() // everything there was to say has been answered
	return nil
}

// abort ends a stream both ways at once.
func abort(s io.Closer) {
	if r, ok := s.(interface{ Reset() error }); ok {
		_ = r.Reset() // nothing more is wanted of it
		return
	}
	_ = s.Close() // likewise
}
