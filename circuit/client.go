package circuit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/culvert-net/culvert/circuit/cell"
)

// Paths chooses nodes. It is asked before every build, so that what it knows
// is as new as its directory. Its methods must not call back into the Client.
type Paths interface {
	// Stem returns n different relays, entry first, none of which is not.
	Stem(n int, not [32]byte) ([]Hop, error)
	// Provider returns the last hop of a circuit to this node.
	Provider(key [32]byte) (Hop, error)
	// Likely lists nodes worth a circuit before anyone asks.
	Likely() [][32]byte
	// Reached reports whether a node took part in a build.
	Reached(key [32]byte, ok bool)
}

// ClientConfig is what a Client needs. All fields but Pairs are required.
type ClientConfig struct {
	World    [32]byte // world id
	Hops     int      // length of a circuit with its provider, 1–5, of the world
	CellSize int      // bytes, of the world
	Links    Links
	Paths    Paths
	Log      *slog.Logger

	// Pairs keeps a place beside each stream that carries a request, for
	// Stream.Beside: a circuit then carries half as many requests at a time.
	Pairs bool
}

// requests is how many requests a circuit carries at a time.
func (cfg *ClientConfig) requests() int {
	if cfg.Pairs {
		return maxStreams / 2
	}
	return maxStreams
}

// Group is an isolation group: requests that may be linked by a provider,
// since they share a circuit. Its value means nothing off this machine.
type Group [32]byte

// Client keeps circuits ready and opens streams on them.
type Client struct {
	cfg  ClientConfig
	pool *batches
	wake chan struct{} // 1 slot: the set of circuits or nodes changed
	wg   sync.WaitGroup

	started chan struct{} // closed by Run

	// How long the steps of a circuit took lately.
	stemTimes, extendTimes, pongTimes *estimate

	mu       sync.Mutex
	running  bool
	circuits map[*circuit]struct{}  // all that live, in any state
	attempts map[*attempt]struct{}  // circuits being made; at most two per flight, and one by Run
	flights  map[flightKey]*flight  // those that may be joined
	spares   map[[32]byte]time.Time // when a circuit to a provider that came into use may be made ready; Run clears it
	hedges   int                    // second builds under way
	young    int                    // circuits that died young since plan looked
	problem  error                  // what kept Run's last build from succeeding
	stats    ClientStats            // of these, what only rises
}

// NewClient checks cfg. It starts nothing; Dial waits for Run.
func NewClient(cfg ClientConfig) (*Client, error) {
	if cfg.Links == nil || cfg.Paths == nil || cfg.Log == nil {
		return nil, errors.New("circuit: client needs links, paths and a log")
	}
	if cfg.Hops < 1 || cfg.Hops > maxPlace {
		return nil, fmt.Errorf("circuit: %d hops; a circuit has 1 to %d", cfg.Hops, maxPlace)
	}
	if !cell.ValidSize(cfg.CellSize) {
		return nil, fmt.Errorf("circuit: cell size %d is none of 512, 1024, 2048, 4096", cfg.CellSize)
	}
	return &Client{
		cfg: cfg, pool: newBatches(), wake: make(chan struct{}, 1), started: make(chan struct{}),
		circuits: make(map[*circuit]struct{}), attempts: make(map[*attempt]struct{}),
		flights:     make(map[flightKey]*flight),
		spares:      make(map[[32]byte]time.Time),
		stemTimes:   &estimate{first: buildFirst, floor: buildFloor, ceiling: buildCeiling},
		extendTimes: &estimate{first: buildFirst, floor: buildFloor, ceiling: buildCeiling},
		pongTimes:   &estimate{first: pongFirst, floor: pongFloor, ceiling: pongTimeout},
	}, nil
}

// Changed tells the client that Paths may choose differently now.
func (c *Client) Changed() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// Dial is DialKind for a stream that carries a request.
func (c *Client) Dial(ctx context.Context, key [32]byte, group Group) (*Stream, error) {
	return c.DialKind(ctx, key, group, StreamHTTP)
}

// DialKind opens a stream to the node with this transport key, on a ready circuit
// if there is one. A circuit that ever carried a stream of one isolation group
// carries none of another. Nothing of what the stream will carry has left this
// machine when it returns. It fails with what stopped the last of several
// attempts: ErrUnknownNode means that no descriptor of the node is held, ErrBusy
// that it has no room, ErrNoPath that there are not the relays for a path, and a
// *HopError names who did not answer.
func (c *Client) DialKind(ctx context.Context, key [32]byte, group Group, kind StreamKind) (*Stream, error) {
	select {
	case <-c.started:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	s, f, landed, err := c.board(key, group, kind)
	if s != nil || err != nil {
		return s, err
	}
	select {
	case l := <-landed:
		return l.stream, l.err
	case <-ctx.Done():
		c.leave(f, landed)
		return nil, fmt.Errorf("dial circuit: %w", ctx.Err())
	}
}

// openReady opens a stream on the oldest live circuit to key with room for
// one, of the group's own if it has any, else on one that nobody has used; or
// it returns nil. Choice and opening are one step, so that many Dials at once
// do not all choose the same circuit's last place. c.mu is held.
func (c *Client) openReady(key [32]byte, group Group, kind StreamKind) *Stream {
	var best *circuit
	for circ := range c.circuits {
		if circ.state != stateOpen || circ.last() != key || !circ.serves(group) || !circ.usable() {
			continue
		}
		if best == nil || circ.before(best) {
			best = circ
		}
	}
	if best == nil {
		return nil
	}
	if best.group == nil {
		best.group = &group
		c.used(key)
		c.Changed() // another is to be ready in its place
	}
	s, err := best.open(kind)
	if err != nil {
		return nil // it ended just now
	}
	return s
}

// make brings a circuit to key about, which it does not offer: a ready stem
// extended once, or else a whole new path. Stems that end in a relay of
// refusedBy are not taken; *providerError names one that refuses.
func (c *Client) make(ctx context.Context, key [32]byte, refusedBy map[[32]byte]bool) (*circuit, error) {
	provider, err := c.cfg.Paths.Provider(key)
	if err != nil {
		return nil, err
	}
	if c.cfg.Hops == 1 {
		return c.race(ctx, c.stemTimes.get(), func(ctx context.Context, a *attempt) (*circuit, error) {
			c.goesOver(a, []Hop{provider})
			return c.stem(ctx, []Hop{provider})
		}, nil)
	}
	patience := c.extendTimes.get()
	ready := c.takeStem(key, refusedBy, false)
	if ready == nil {
		patience += c.stemTimes.get()
	}
	var hops []Hop // of the first; written before the second starts
	first := func(ctx context.Context, a *attempt) (*circuit, error) {
		return c.reach(ctx, a, ready, provider)
	}
	if ready != nil {
		hops = ready.hops
	} else if hops, err = c.path(key); err != nil {
		return nil, err
	} else {
		first = func(ctx context.Context, a *attempt) (*circuit, error) {
			c.goesOver(a, hops)
			stem, err := c.stem(ctx, hops)
			if err != nil {
				return nil, err
			}
			return c.reach(ctx, a, stem, provider)
		}
	}
	return c.race(ctx, patience, first, func(ctx context.Context, a *attempt) (*circuit, error) {
		stem := c.takeStem(key, refusedBy, true)
		if stem == nil {
			others, err := c.path(key)
			if err != nil {
				return nil, err
			}
			if within(others, hops) {
				return nil, errNoOther
			}
			c.goesOver(a, others)
			if stem, err = c.stem(ctx, others); err != nil {
				return nil, err
			}
		}
		return c.reach(ctx, a, stem, provider)
	})
}

// reach extends stem to the provider.
func (c *Client) reach(ctx context.Context, a *attempt, stem *circuit, provider Hop) (*circuit, error) {
	c.goesOver(a, append(slices.Clone(stem.hops), provider))
	began := time.Now()
	err := stem.extend(ctx, provider)
	c.extendTimes.add(time.Since(began), err == nil)
	if err == nil {
		return stem, nil
	}
	if errors.Is(err, errExtendFailed) {
		by := stem.last()
		// It is still last and may serve another provider.
		c.offer(stem, stateStem)
		if errors.Is(err, errHopBusy) {
			err = fmt.Errorf("%w: %w", ErrBusy, err)
		}
		err = &providerError{by, err}
	}
	return nil, err
}

// stem builds all hops but the last, or for worlds of one hop that one, and
// notes how long it takes.
func (c *Client) stem(ctx context.Context, hops []Hop) (*circuit, error) {
	began := time.Now()
	circ, err := c.build(ctx, hops)
	c.stemTimes.add(time.Since(began), err == nil)
	return circ, err
}

// distinct reports whether hops are n different nodes, none of which is not.
// A shorter circuit, or one that meets a node twice, would hide less than it
// promises.
func distinct(hops []Hop, n int, not [32]byte) bool {
	seen := map[[32]byte]bool{not: true}
	for _, h := range hops {
		if seen[h.Key] {
			return false
		}
		seen[h.Key] = true
	}
	return len(hops) == n
}

// takeStem removes a ready stem without key in it from the pool, the one about
// whose relays there is the least suspicion; or none, if there is any and clear
// is set.
func (c *Client) takeStem(key [32]byte, not map[[32]byte]bool, clear bool) *circuit {
	c.mu.Lock()
	defer c.mu.Unlock()
	var best *circuit
	least := 0
	for circ := range c.circuits {
		if circ.state != stateStem || circ.passes(key) || not[circ.last()] || !circ.usable() {
			continue
		}
		n := c.suspicion(circ.hops)
		if clear && n > 0 {
			continue
		}
		if best == nil || n < least {
			best, least = circ, n
		}
	}
	if best != nil {
		best.state = stateBuilding
		c.Changed()
	}
	return best
}

// offer lets others use a circuit that was built.
func (c *Client) offer(circ *circuit, s state) {
	c.mu.Lock()
	defer c.mu.Unlock()
	circ.state = s
}

// remove forgets a circuit that ended, with err.
func (c *Client) remove(circ *circuit, err error) {
	c.mu.Lock()
	delete(c.circuits, circ)
	c.stats.lost(circ.state, err)
	if circ.state != stateEnding && time.Since(circ.made) < diedYoung {
		c.young++
	}
	c.mu.Unlock()
	c.Changed()
}

// Info describes one circuit, for the owner of this machine.
type Info struct {
	ID       string        `json:"id"`
	State    string        `json:"state"` // "stem" or "open"
	Hops     []string      `json:"hops"`  // names, entry first
	Last     [32]byte      `json:"-"`     // transport key of the last hop
	Streams  int           `json:"streams"`
	Requests int           `json:"requests"`
	Age      time.Duration `json:"age_ns"`
}

// Circuits lists what is open now, oldest first.
func (c *Client) Circuits() []Info {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := make([]Info, 0, len(c.circuits))
	for circ := range c.circuits {
		if circ.state == stateStem || circ.state == stateOpen {
			all = append(all, circ.info())
		}
	}
	sortByAge(all)
	return all
}
