package notary

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/culvert-net/culvert/mesh/directory"
	"github.com/culvert-net/culvert/mesh/directory/bundle"
	"github.com/culvert-net/culvert/mesh/directory/mirror"
	"github.com/culvert-net/culvert/mesh/quorum"
	"github.com/culvert-net/culvert/mesh/world"
)

// Peers reaches the other directory signers.
type Peers interface {
	// Ask sends a request to another signer and returns what that signer's Answer
	// made of it. It does not retry. It makes sure that the answer is that
	// signer's, though nothing is believed for that alone.
	Ask(ctx context.Context, signer [ed25519.PublicKeySize]byte, request []byte) ([]byte, error)
}

// Roster is what a root says of the roster.
type Roster interface {
	// Head is the newest entry that is known.
	Head() (generation uint64, hash world.Hash)
	// Knows reports whether an entry stands in the chain that leads to Head.
	Knows(generation uint64, hash world.Hash) bool
}

// Config is what a Notary needs.
type Config struct {
	World  *world.World       // required
	Quorum quorum.Quorum      // required; Key is one of its signers'
	Key    ed25519.PrivateKey // required
	Memory *quorum.Memory     // required; of Key, and of no other notary
	Set    *directory.Set     // required; publications and gossip go into it
	Store  *mirror.Store      // required; finished bundles go into it
	Peers  Peers              // required if there are other signers

	// Roster may be nil in a world without one; roots name no entry then.
	Roster Roster

	// FirstNodes is how many nodes a world's first root waits for; 0 is 1. It is
	// the first of a world, and one after a pause so long that no root is good.
	FirstNodes int

	// Behind is called when there is a newer root than the store has the bundle
	// of, so that somebody fetches it. It does not block. Nil does nothing.
	Behind func()

	Log *slog.Logger // nil discards
}

// Status is what people are shown of a Notary.
type Status struct {
	Epoch     uint64    // of the newest root that is known; 0 for none
	Finished  time.Time // when this signer saw it finished; zero for not yet
	Attempts  uint64    // to make a root, since the start
	Signed    uint64    // roots this signer put its name to, since the start
	Problem   string    // why there is no root of this epoch yet; "" if there is one
	Reachable int       // signers that answered the last attempt, this one included
	Signers   int
	Forked    string // "" while all is well
}

// Notary is one directory signer.
type Notary struct {
	cfg    Config // immutable
	self   [32]byte
	others [][32]byte

	mu      sync.Mutex
	pending *draft             // what this signer put its name to and is not finished; guarded by mu
	before  *directory.Content // of the bundle named by beforeID; guarded by mu
	beforeR world.Hash         // guarded by mu
	status  Status             // guarded by mu
	yielded struct {           // to what others have signed; guarded by mu
		epoch uint64
		times int
	}
}

// draft is a proposal with its leaves.
type draft struct {
	bundle.SignedRoot
	leaves *bundle.Leaves
}

func (d *draft) proposal() proposal {
	return proposal{SignedRoot: d.SignedRoot, leaves: d.leaves.Hashes()}
}

// New checks cfg. It starts nothing.
func New(cfg Config) (*Notary, error) {
	if cfg.World == nil || cfg.Key == nil || cfg.Memory == nil || cfg.Set == nil || cfg.Store == nil {
		return nil, errors.New("notary: World, Key, Memory, Set and Store are required")
	}
	if err := cfg.Quorum.Check(); err != nil {
		return nil, err
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Behind == nil {
		cfg.Behind = func() {}
	}
	if cfg.Roster == nil {
		cfg.Roster = noRoster{}
	}
	cfg.FirstNodes = max(1, cfg.FirstNodes)
	n := &Notary{cfg: cfg, self: [32]byte(cfg.Key.Public().(ed25519.PublicKey))}
	if !cfg.Quorum.Has(n.self) {
		return nil, fmt.Errorf("notary: key %s is no directory signer of this world", world.Hash(n.self).Short())
	}
	for _, key := range cfg.Quorum.Signers {
		if key != n.self {
			n.others = append(n.others, key)
		}
	}
	if len(n.others) > 0 && cfg.Peers == nil {
		return nil, errors.New("notary: Peers is required where there are other signers")
	}
	n.status.Signers = len(cfg.Quorum.Signers)
	return n, nil
}

// noRoster is the roster of a world that has none.
type noRoster struct{}

func (noRoster) Head() (uint64, world.Hash)        { return 0, world.Hash{} }
func (noRoster) Knows(g uint64, h world.Hash) bool { return g == 0 && h.IsZero() }

// Run makes a root per epoch with the others until ctx ends; it is called once.
func (n *Notary) Run(ctx context.Context) error {
	n.remember(time.Now())
	t := &turn{}
	for {
		updated := n.cfg.Set.Updated()
		t.look(n.cfg.Set.Snapshot(), time.Now())
		wait := n.wait(t, time.Now())
		if wait <= 0 {
			n.attempt(ctx, t)
			continue
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-updated:
		case <-ctx.Done():
			timer.Stop()
			return nil
		}
		timer.Stop()
	}
}

// remember puts what the last bundle says into the set: a signer that starts
// again would else propose an empty world.
func (n *Notary) remember(now time.Time) {
	b := n.cfg.Store.Newest()
	if b == nil {
		return
	}
	var ds []world.Descriptor
	for _, raw := range b.Descriptors() {
		if d, err := world.DecodeDescriptor(raw); err == nil {
			ds = append(ds, d)
		}
	}
	n.cfg.Set.Add(ds, now)
	n.cfg.Set.AddSheets(b.Sheets(), true, now)
}

// turn is when this signer's turn is. It belongs to Run.
type turn struct {
	seen       *directory.Snapshot // of the set
	quietSince time.Time           // when that changed last
	epoch      uint64              // of the attempts
	tries      int                 // in that epoch
	last       time.Time           // of the last attempt
}

// look notes when the set has changed.
func (t *turn) look(snap *directory.Snapshot, now time.Time) {
	if snap != t.seen {
		t.seen, t.quietSince = snap, now
	}
}

// wait is how long it is until an attempt is due.
func (n *Notary) wait(t *turn, now time.Time) time.Duration {
	w := n.cfg.World
	epoch := w.Epoch(now)
	if t.epoch != epoch {
		t.epoch, t.tries = epoch, 0
	}
	newest := n.cfg.Store.Highest()
	rest := min(w.EpochStart(epoch+1).Sub(now), clockTick)
	if newest != nil && newest.Epoch >= epoch || n.cfg.Store.Proof() != nil {
		return rest
	}
	step := min(max(w.EpochLen()/32, minStep), maxStep)
	due := w.EpochStart(epoch)
	if newest == nil || directory.Stale(w, newest.Epoch, now) {
		if n.cfg.Set.Snapshot().Len() < n.cfg.FirstNodes {
			return rest
		}
		due = t.quietSince.Add(quiet)
	}
	due = due.Add(time.Duration(n.rank(epoch)) * step)
	if t.tries > 0 {
		// All others have their turn before this signer's next, and then ever later.
		pause := step * time.Duration(len(n.cfg.Quorum.Signers)) * time.Duration(min(t.tries, 4))
		due = t.last.Add(pause - pause/8 + rand.N(pause/4+1))
	}
	return min(due.Sub(now), clockTick)
}

// rank is this signer's place in an epoch: the order turns by one each time.
func (n *Notary) rank(epoch uint64) int {
	count := len(n.cfg.Quorum.Signers)
	i := slices.Index(n.cfg.Quorum.Signers, n.self)
	return (i + count - int(epoch%uint64(count))) % count
}

// attempt tries to make the root of now's epoch.
func (n *Notary) attempt(ctx context.Context, t *turn) {
	t.tries++
	t.last = time.Now()
	err := n.Propose(ctx, t.last)
	n.mu.Lock()
	defer n.mu.Unlock()
	n.status.Attempts++
	n.status.Problem = ""
	if err != nil && ctx.Err() == nil {
		n.status.Problem = err.Error()
		n.cfg.Log.Debug("no directory root yet", "epoch", t.epoch, "err", err)
	}
}

// Status says how the notary is doing.
func (n *Notary) Status() Status {
	n.mu.Lock()
	s := n.status
	n.mu.Unlock()
	if newest := n.cfg.Store.Highest(); newest != nil {
		s.Epoch = newest.Epoch
	}
	if err := n.cfg.Store.Forked(); err != nil {
		s.Forked = err.Error()
	}
	return s
}
