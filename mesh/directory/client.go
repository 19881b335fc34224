package directory

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/culvert-net/culvert/mesh/world"
)

// Seeds opens streams to servers of the directory.
type Seeds interface {
	// Open opens a stream of the directory protocol to seed, which is one of
	// the world's seeds or mirrors. It does not retry. Close on the stream must
	// unblock a pending Read or Write; if the stream has a Reset() error method,
	// that is called instead when an exchange was given up.
	Open(ctx context.Context, seed string) (io.ReadWriteCloser, error)
}

// ClientConfig is what a Client needs.
type ClientConfig struct {
	World *world.World // required
	Set   *Set         // required; filled by the client, served by others
	Seeds Seeds        // required

	// Cache is the path of directory.db; empty keeps nothing on disk.
	Cache string

	// Key, Keys and Self are set together, by nodes that stand in the directory.
	Key  ed25519.PrivateKey // transport key, signs the descriptors
	Keys *Keyring           // rotated by the client at the start of each epoch
	// Self says what there is to say of this node: Name, Addrs and Models. The
	// client fills in the rest. False means nothing yet: what was published
	// stays until its epoch has passed. It must not block, is called again after
	// Changed, and leaves the slices it returned alone.
	Self func() (Node, bool)

	// Enough reports whether a set is good enough to work with; until it is, the
	// client asks again after seconds instead of a quarter of an epoch. It sees
	// whole snapshots only, so how often is asked says nothing of what is wanted.
	// Nil means any node but this one. It is called from several goroutines.
	Enough func(*Snapshot) bool

	Log *slog.Logger // nil discards
}

// Client keeps a Set current: it asks seeds for theirs, keeps a copy on disk,
// and publishes what its own node says.
type Client struct {
	cfg     ClientConfig // immutable
	self    [32]byte     // own transport key, zero for none; immutable
	sources []string     // seeds and mirrors but for this node itself; immutable
	cache   *cache

	refresh chan struct{} // one token: fetch now
	changed chan struct{} // one token: Self says something else
	epoch   chan struct{} // one token: an epoch has begun

	mu        sync.Mutex
	status    Status    // but for the counts; guarded by mu
	refreshed time.Time // when Refresh last did something; guarded by mu
}

// NewClient checks cfg. It starts nothing.
func NewClient(cfg ClientConfig) (*Client, error) {
	if cfg.World == nil || cfg.Set == nil || cfg.Seeds == nil {
		return nil, errors.New("directory client: World, Set and Seeds are required")
	}
	if cfg.Set.world.ID != cfg.World.ID {
		return nil, errors.New("directory client: Set is of another world")
	}
	publishes := cfg.Self != nil
	if (cfg.Key != nil) != publishes || (cfg.Keys != nil) != publishes {
		return nil, errors.New("directory client: Key, Keys and Self are set together or not at all")
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	c := &Client{
		cfg:     cfg,
		cache:   &cache{path: cfg.Cache, set: cfg.Set},
		refresh: make(chan struct{}, 1),
		changed: make(chan struct{}, 1),
		epoch:   make(chan struct{}, 1),
	}
	if publishes {
		c.self = [32]byte(cfg.Key.Public().(ed25519.PublicKey))
	}
	if c.cfg.Enough == nil {
		c.cfg.Enough = c.anyOther
	}
	for _, list := range [][]string{cfg.World.Seeds, cfg.World.Mirrors} {
		for _, seed := range list {
			a, err := world.ParseAddr(seed)
			if err != nil {
				return nil, &world.FieldError{Field: "seeds", Problem: err.Error()}
			}
			if !publishes || a.Key != c.self {
				c.sources = append(c.sources, seed)
			}
		}
	}
	if len(c.sources) == 0 && !publishes {
		return nil, errors.New("directory client: the world file has no seeds, so there is nobody to ask")
	}
	return c, nil
}

// anyOther is the default of Enough.
func (c *Client) anyOther(s *Snapshot) bool {
	_, self := s.Node(c.self)
	return s.Len() > 1 || s.Len() == 1 && !self
}

// Run works until ctx ends; it is called once. The error is nil then, unless
// the cache could not be written a last time. It returns early only if the node
// cannot describe itself at the start, which is a mistake in what Self says or a
// disk that cannot hold the onion keys.
func (c *Client) Run(ctx context.Context) error {
	ds, when, err := c.cache.load()
	if err != nil {
		c.cfg.Log.Warn("directory cache discarded", "err", err)
	}
	c.mu.Lock()
	c.status.Cached = when
	c.mu.Unlock()
	now := time.Now()
	c.cfg.Set.Advance(now)
	c.cfg.Set.Add(ds, now)

	var wg sync.WaitGroup
	if c.cfg.Self != nil {
		p := newPublisher(c)
		if _, err := p.describe(now); err != nil && !passes(err) {
			return err
		}
		wg.Go(func() { p.run(ctx) })
	}
	f := &fetcher{Client: c, have: make(map[string]world.Hash)}
	wg.Go(func() { f.run(ctx) })
	wg.Go(func() { c.watchClock(ctx) })
	wg.Go(func() { c.keepCache(ctx) })
	wg.Wait()
	return c.cache.save()
}

// Wait returns once the set is Enough: from the cache, a seed, or a
// publication. It fails only with ctx.
func (c *Client) Wait(ctx context.Context) error {
	for {
		updated := c.cfg.Set.Updated()
		if c.cfg.Enough(c.cfg.Set.Snapshot()) {
			return nil
		}
		select {
		case <-updated:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Changed says that Self has something else to say now. Only four different
// contents are taken per epoch, so changes in quick succession are gathered.
func (c *Client) Changed() { nudge(c.changed) }

// Refresh fetches the whole set now, at most once in refreshEvery. It is for
// relays that are asked for a node they do not hold. A bridge must not call it:
// when it fetches may not depend on what it wants.
func (c *Client) Refresh() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := time.Now(); now.Sub(c.refreshed) >= refreshEvery {
		c.refreshed = now
		nudge(c.refresh)
	}
}

// watchClock tells the others when an epoch begins. It looks more often than
// that, since timers stand still while a machine sleeps.
func (c *Client) watchClock(ctx context.Context) {
	w := c.cfg.World
	epoch := w.Epoch(time.Now())
	for sleep(ctx, min(time.Until(w.EpochStart(epoch+1)), clockTick)) {
		now := time.Now()
		next := w.Epoch(now)
		if next == epoch {
			continue
		}
		c.cfg.Set.Advance(now)
		nudge(c.epoch)
		if next != epoch+1 {
			nudge(c.refresh) // what we have is all too old, or the clock was wrong
		}
		epoch = next
	}
}

// keepCache writes the set to disk some time after each change of it.
func (c *Client) keepCache(ctx context.Context) {
	for {
		updated := c.cfg.Set.Updated()
		if err := c.cache.save(); err != nil {
			c.cfg.Log.Warn("directory cache not written", "err", err)
		}
		select {
		case <-updated:
		case <-ctx.Done():
			return
		}
		if !sleep(ctx, saveDelay) {
			return
		}
	}
}

// exchange opens a stream to seed and lets f talk on it, for at most timeout.
func (c *Client) exchange(ctx context.Context, seed string, timeout time.Duration, f func(io.ReadWriter) error) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	stream, err := c.cfg.Seeds.Open(ctx, seed)
	if err != nil {
		return fmt.Errorf("%w: %w", errUnreachable, err)
	}
	aborted := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(aborted)
		abort(stream)
	})
	err = f(stream)
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

// nudge leaves a token unless one is there.
func nudge(ch chan struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}

// sleep waits for d, and reports false if ctx ended before.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
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
