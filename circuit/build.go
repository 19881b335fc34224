package circuit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/culvert-net/culvert/circuit/cell"
	"github.com/culvert-net/culvert/circuit/onion"
)

// circuit is a client's circuit: its hops and its end of the streams.
type circuit struct {
	client *Client
	id     string
	made   time.Time
	hops   []Hop // changes only in stateBuilding, by the goroutine that builds
	mux    *mux
	codec  *clientCodec
	state  state  // guarded by client.mu
	group  *Group // that has it to itself; nil: nobody yet; guarded by client.mu

	// suspect: a PING is unanswered for longer than most take. Guarded by client.mu.
	suspect bool

	// Guarded by mux.mu.
	requests int
	used     time.Time // when a stream was last opened
	pinged   time.Time // a PING is out since; zero: none
	ping     [8]byte   // what it said
	doubted  bool      // shares a relay with a circuit that died; until a PONG
	watch    *time.Timer
	checkAt  time.Time        // when watch fires
	pending  *onion.Initiator // of the EXTEND that is out
	answer   chan error       // its outcome; 1 slot
}

// state is what a living circuit may be used for.
type state int

const (
	stateBuilding state = iota // by the goroutine that builds it, nobody else
	stateStem                  // all hops but the last; ready to be extended
	stateOpen                  // its last hop is a provider; carries streams
	stateEnding                // retired; nobody's
)

// errExtendFailed is a last hop that did not extend and said so. The circuit
// lives.
var errExtendFailed = errors.New("circuit: not extended")

// errOwnFault is an errExtendFailed that says more of the hop that was asked
// than of the one it was to reach: it knows no such node, or does not extend.
var errOwnFault = fmt.Errorf("%w by this relay", errExtendFailed)

// errLate is a node that did not answer CREATE in time.
var errLate = errors.New("circuit: no answer in time")

// errHopBusy is a node that answers CREATE by saying that it has no room.
var errHopBusy = errors.New("circuit: node has no room for another circuit")

// build makes a circuit over hops, entry first, and starts its goroutines.
func (c *Client) build(ctx context.Context, hops []Hop) (*circuit, error) {
	entry := hops[0]
	step, cancel := context.WithTimeout(ctx, buildTimeout)
	defer cancel()
	link, err := c.cfg.Links.Open(step, entry.Key)
	if err != nil {
		c.blame(ctx, entry)
		return nil, &HopError{Place: 1, Name: entry.Name, Err: fmt.Errorf("reach entry: %w", err)}
	}
	in := newBatchReader(link, c.cfg.CellSize, c.pool)
	codec, err := c.create(step, link, in, entry)
	if err != nil {
		in.release()
		c.blame(ctx, entry)
		if step.Err() != nil && ctx.Err() == nil {
			err = fmt.Errorf("%w: %w", errLate, err)
		}
		return nil, &HopError{Place: 1, Name: entry.Name, Err: fmt.Errorf("create at entry: %w", err)}
	}
	c.cfg.Paths.Reached(entry.Key, true)
	circ := &circuit{
		client: c, id: circuitName(), made: time.Now(), hops: []Hop{entry}, codec: codec,
		answer: make(chan error, 1),
	}
	circ.mux = newMux(link, codec, c.cfg.CellSize, c.pool, muxEvents{
		answered: circ.answered, pong: circ.ponged, ending: circ.ending,
	})
	if err := c.start(circ, in); err != nil {
		return nil, err
	}
	for _, h := range hops[1:] {
		if err := circ.extend(ctx, h); err != nil {
			_ = circ.mux.fail(ErrClosed)
			return nil, err
		}
	}
	return circ, nil
}

// blame reports a node that did not answer, unless we gave up on it.
func (c *Client) blame(ctx context.Context, h Hop) {
	if ctx.Err() == nil || errors.Is(context.Cause(ctx), errOutrun) {
		c.cfg.Paths.Reached(h.Key, false)
	}
}

// create makes the first hop.
func (c *Client) create(ctx context.Context, link Link, in *batchReader, entry Hop) (*clientCodec, error) {
	hs, err := onion.Initiate(c.cfg.World, 1, entry.Key, entry.Onion)
	if err != nil {
		_ = link.Reset()
		return nil, err
	}
	created, err := exchange(ctx, link, in, c.cfg.CellSize, hs.Create())
	if err != nil {
		return nil, err
	}
	keys, err := hs.Finish(created)
	if err != nil {
		_ = link.Reset()
		return nil, err
	}
	defer keys.Erase()
	codec := &clientCodec{body: c.cfg.CellSize - 1}
	codec.add(c.cfg.World, keys)
	return codec, nil
}

// start runs the circuit's reader, writer and watch until it ends.
func (c *Client) start(circ *circuit, in *batchReader) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.running {
		in.release()
		return circ.mux.fail(ErrClosed)
	}
	circ.mux.mu.Lock()
	circ.watch = time.AfterFunc(pingIdle, circ.check)
	circ.checkAt = time.Now().Add(pingIdle)
	circ.mux.mu.Unlock()
	c.circuits[circ] = struct{}{}
	c.wg.Go(func() { _ = circ.mux.write() }) // its error is the mux's, which read returns
	c.wg.Go(func() {
		defer in.release()
		_, err := circ.mux.read(in)
		circ.mux.mu.Lock()
		circ.watch.Stop()
		circ.mux.mu.Unlock()
		c.remove(circ, err)
		c.cfg.Log.Debug("circuit ended", "circuit", circ.id, "err", err)
	})
	return nil
}

// extend adds a hop. errExtendFailed leaves the circuit as it was; any other
// error ended it.
func (circ *circuit) extend(ctx context.Context, h Hop) error {
	c := circ.client
	hs, err := onion.Initiate(c.cfg.World, byte(len(circ.hops)+1), h.Key, h.Onion)
	if err != nil {
		return circ.mux.fail(err)
	}
	circ.mux.mu.Lock()
	circ.pending = hs
	circ.mux.mu.Unlock()
	circ.mux.say(cell.Message{Kind: cell.Extend, Data: hs.Create()}, false)

	step, cancel := context.WithTimeout(ctx, buildTimeout)
	defer cancel()
	select {
	case err = <-circ.answer:
	case <-circ.mux.done:
		err = circ.mux.alive()
	case <-step.Done():
		err = circ.mux.fail(fmt.Errorf("no answer to extend: %w", step.Err()))
	}
	if err != nil {
		circ.blameFor(ctx, err, h)
		return &HopError{Place: len(circ.hops) + 1, Name: h.Name, Err: fmt.Errorf("extend: %w", err)}
	}
	circ.hops = append(circ.hops, h)
	c.cfg.Paths.Reached(h.Key, true)
	return nil
}

// blameFor reports who may have kept the circuit from being extended to h.
func (circ *circuit) blameFor(ctx context.Context, err error, h Hop) {
	c := circ.client
	switch {
	case errors.Is(err, errOwnFault):
		c.blame(ctx, circ.hops[len(circ.hops)-1])
	case errors.Is(err, errExtendFailed):
		c.blame(ctx, h)
	case len(circ.hops) == c.cfg.Hops-1 && errors.Is(context.Cause(ctx), errOutrun):
		// The provider was reached otherwise meanwhile. It may be slow over relays
		// of its choice, so that others are taken; if it is one of these relays,
		// stems over it are late too.
	default:
		// The circuit ended, and it may have been any of them; blaming h alone
		// would let an entry have every honest relay avoided.
		for _, before := range circ.hops {
			c.blame(ctx, before)
		}
		c.blame(ctx, h)
	}
}

// answered takes the answer to the EXTEND that is out. The reader calls it;
// nothing is being written then, so both directions can take the new layer.
func (circ *circuit) answered(m cell.Message) error {
	circ.mux.mu.Lock()
	defer circ.mux.mu.Unlock()
	hs := circ.pending
	if hs == nil {
		return violation(m.Kind)
	}
	circ.pending = nil
	if m.Kind == cell.ExtendFailed {
		err := errOwnFault
		switch m.Data[0] {
		case failUnreachable:
			err = errExtendFailed
		case failBusy:
			err = fmt.Errorf("%w: %w", errExtendFailed, errHopBusy)
		}
		circ.answer <- err
		return nil
	}
	keys, err := hs.Finish(m.Data)
	if err != nil {
		return err
	}
	defer keys.Erase()
	circ.codec.add(circ.client.cfg.World, keys)
	circ.answer <- nil
	return nil
}

// open makes a stream on a full circuit.
func (circ *circuit) open(kind StreamKind) (*Stream, error) {
	m := circ.mux
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err != nil {
		return nil, m.err
	}
	if !circ.roomy() {
		return nil, fmt.Errorf("circuit %s has no room for a stream", circ.id)
	}
	s := circ.begin(kind)
	s.alone = circ.client.cfg.Pairs && kind == StreamHTTP
	circ.requests++
	return s, nil
}

// openBeside makes a stream beside s. It counts as no request of the circuit's,
// and comes about on one that has served its time, since s runs on it all the
// same.
func (circ *circuit) openBeside(s *Stream, kind StreamKind) (*Stream, error) {
	m := circ.mux
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err != nil {
		return nil, m.err
	}
	if !s.alone && circ.places() >= maxStreams {
		return nil, fmt.Errorf("%w: circuit %s has no room for a stream beside another", ErrBusy, circ.id)
	}
	s.alone = false
	return circ.begin(kind), nil
}

// places is how many streams the circuit has, with those that a place is kept
// for. mux.mu is held.
func (circ *circuit) places() int {
	n := len(circ.mux.streams)
	for _, s := range circ.mux.streams {
		if s.alone {
			n++
		}
	}
	return n
}

// begin makes a stream for which there is room. mux.mu is held.
func (circ *circuit) begin(kind StreamKind) *Stream {
	m := circ.mux
	m.lastID++
	s := newStream(m, m.lastID)
	s.circ, s.name, s.opening = circ, circ.id, int(kind)
	m.add(s)
	circ.used = time.Now()
	m.schedule(s)
	// Never later than it was: streams that come and go must not put off the
	// look for ever.
	if time.Until(circ.checkAt) > askAfter {
		circ.checkIn(askAfter)
	}
	return s
}

// roomy reports whether one more stream may be opened, and one beside it where
// that is to be. mux.mu is held.
func (circ *circuit) roomy() bool {
	if circ.mux.err != nil || circ.doubted || circ.retired() {
		return false
	}
	if circ.client.cfg.Pairs {
		return circ.places()+2 <= maxStreams
	}
	return len(circ.mux.streams) < maxStreams
}

// retired reports whether the circuit has served its time. mux.mu is held.
func (circ *circuit) retired() bool {
	return circ.requests >= maxCircuitRequests || time.Since(circ.made) >= maxCircuitAge
}

// serves reports whether a stream of group may run over the circuit.
func (circ *circuit) serves(group Group) bool { return circ.group == nil || *circ.group == group }

// before reports whether circ is to be chosen rather than other: what the group
// has already, the oldest first, so that the young ones may idle and go.
func (circ *circuit) before(other *circuit) bool {
	if (circ.group == nil) != (other.group == nil) {
		return circ.group != nil
	}
	return circ.made.Before(other.made)
}

func (circ *circuit) usable() bool {
	circ.mux.mu.Lock()
	defer circ.mux.mu.Unlock()
	return circ.roomy()
}

func (circ *circuit) last() [32]byte { return circ.hops[len(circ.hops)-1].Key }

func (circ *circuit) passes(key [32]byte) bool {
	return slices.ContainsFunc(circ.hops, func(h Hop) bool { return h.Key == key })
}

func (circ *circuit) info() Info {
	circ.mux.mu.Lock()
	defer circ.mux.mu.Unlock()
	in := Info{
		ID: circ.id, State: "stem", Streams: len(circ.mux.streams), Requests: circ.requests,
		Age: time.Since(circ.made), Last: circ.last(),
	}
	if circ.state == stateOpen {
		in.State = "open"
	}
	for _, h := range circ.hops {
		in.Hops = append(in.Hops, h.Name)
	}
	return in
}

func sortByAge(all []Info) {
	slices.SortFunc(all, func(a, b Info) int { return cmp.Compare(b.Age, a.Age) })
}
