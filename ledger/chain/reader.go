package chain

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sort"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/core/types"

	"github.com/culvert-net/culvert/ledger"
)

// Reader reads the contract's log, and keeps what follows from it.
//
// docs/spec/chain.md §2.
type Reader struct {
	cfg     Config
	server  *server
	witness *server // nil: the first is believed
	decoder *decoder

	pass chan struct{} // has one value while somebody reads; guards the fields up to mu
	// marks are blocks that were read up to, with their hashes, the oldest first;
	// there is at least one once the checkpoint was loaded.
	marks   []mark
	unsaved dirty  // what changed up to the first mark since that was stored
	stored  []byte // the checkpoint's head as it was stored; nil: there is none
	run     uint32 // rises when the log is read from the start, as records of the last time are no good then
	sweep   bool   // records of earlier runs are to be deleted
	lost    bool   // another program keeps the checkpoint
	width   uint64
	seen    Block // the newest block of the last complete pass
	behind  int   // passes in a row with a newest block before the last mark
	doubts  int   // passes in a row in which events contradicted the state

	mu     sync.Mutex // guards what follows
	state  *State
	fresh  time.Time
	status Status
	subs   map[chan struct{}]bool
}

// mark is a block of the chain with the state after it.
type mark struct {
	Block
	view  View
	dirty dirty // what changed since the mark before
}

// Status is how reading goes.
type Status struct {
	Confirmed uint64 // read up to here
	Target    uint64 // of blocks that are deep enough
	Err       error  // of the last pass; nil: it was complete
}

// NewReader makes a reader of the contract that cfg names. It asks nobody
// anything yet.
func NewReader(cfg Config) (*Reader, error) {
	s, err := newServer(cfg)
	if err != nil {
		return nil, err
	}
	d, err := newDecoder()
	if err != nil {
		return nil, err
	}
	r := &Reader{
		cfg: cfg, server: s, decoder: d, width: cfg.Network.MaxRange,
		pass: make(chan struct{}, 1), state: &State{}, subs: make(map[chan struct{}]bool),
	}
	if cfg.Witness != nil {
		cfg.Transport = cfg.Witness
		if r.witness, err = newServer(cfg); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// Run reads until the context ends, at each block time, and after errors ever
// more slowly. What goes wrong is in Status.
func (r *Reader) Run(ctx context.Context) error {
	wait := retryFirst
	for {
		next := r.cfg.Network.pollTime()
		if err := r.Sync(ctx); err == nil || errors.Is(err, ErrMoved) || errors.Is(err, ErrBehind) {
			wait = retryFirst
		} else {
			next = wait + rand.N(wait/2) // many readers of one server come back apart
			wait = min(2*wait, retryLast)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(next):
		}
	}
}

// pollTime is how often there may be something new.
func (n Network) pollTime() time.Duration {
	if n.BlockTime == 0 {
		return time.Second
	}
	return n.BlockTime
}

// State is what is known. It is never nil; before the first complete pass it is
// that of a contract nobody used, or of the checkpoint.
func (r *Reader) State() *State {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.state
}

// Channel is State's, of the block that is believed.
func (r *Reader) Channel(id ledger.ChannelID) (ledger.Channel, bool) { return r.State().Channel(id) }

// Fresh is when State was last complete up to a young block; zero: never.
func (r *Reader) Fresh() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.fresh
}

// Status is how reading goes.
func (r *Reader) Status() Status {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.status
}

// Subscribe gives a channel that has a value after State or Status changed: one
// for any number of changes since it was read last. The function ends it.
func (r *Reader) Subscribe() (<-chan struct{}, func()) {
	ch := make(chan struct{}, 1)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.subs[ch] = true
	return ch, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.subs, ch)
	}
}

// change runs f under mu and tells subscribers.
func (r *Reader) change(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f()
	for ch := range r.subs {
		select {
		case ch <- struct{}{}:
		default: // it has one that was not read yet
		}
	}
}

// Sync reads up to the newest block, after whoever reads now. nil: State is complete.
func (r *Reader) Sync(ctx context.Context) error {
	select {
	case r.pass <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-r.pass }()
	err := r.once(ctx)
	if err != nil && ctx.Err() != nil {
		return err // that somebody did not wait says nothing of the chain
	}
	r.doubt(err)
	if err != nil || r.Status().Err != nil {
		r.change(func() { r.status.Err = err })
	}
	if err != nil && r.cfg.Failed != nil {
		r.cfg.Failed(err)
	}
	return err
}

// doubt begins again when the log stays at odds with the state: an earlier page
// had lacked events.
func (r *Reader) doubt(err error) {
	var c *contradiction
	if !errors.As(err, &c) {
		r.doubts = 0
	} else if r.doubts++; r.doubts >= maxDoubts {
		r.doubts = 0
		r.cfg.log().Warn("the contract's log contradicts what was read before; it is read again", "err", err)
		r.restart()
	}
}

// once is one pass: newest block, forks, confirmed pages, the rest.
func (r *Reader) once(ctx context.Context) error {
	if err := r.server.check(ctx); err != nil {
		return err
	}
	if len(r.marks) == 0 {
		if err := r.load(ctx); err != nil {
			return err
		}
	}
	head, err := r.server.latest(ctx)
	if err != nil {
		return err
	}
	if head != r.seen {
		r.seen = Block{} // a pass that fails half-way publishes what is after it
		if err := r.follow(ctx, head); err != nil {
			return err
		}
		r.seen = head
	}
	if err := r.cfg.Network.young(head, time.Now()); err != nil {
		return err
	}
	r.change(func() { r.fresh = time.Now() })
	return nil
}

// follow reads up to head.
func (r *Reader) follow(ctx context.Context, head Block) error {
	deep, err := r.server.blockBefore(ctx, head.Number-min(head.Number, r.cfg.Network.Confirmations))
	if err != nil {
		return err
	}
	// Before anything is given up that was agreed on.
	if err := r.agreed(ctx, deep); err != nil {
		return err
	}
	if err := r.rewind(ctx, head); err != nil {
		return err
	}
	target := deep.Number
	for r.last().Number < target {
		if err := r.page(ctx, target); err != nil {
			return err
		}
		r.publish(head, r.last().view, target)
		if err := r.trim(ctx); err != nil {
			return err
		}
	}
	pending, err := r.pending(ctx, head)
	if err != nil {
		return err
	}
	// The head is still the one these pages were of.
	if err := r.stays(ctx, head); err != nil {
		return err
	}
	r.publish(head, pending, target)
	return nil
}

// stays asks for a block once more: ErrMoved if it is another one now.
func (r *Reader) stays(ctx context.Context, b Block) error {
	again, err := r.server.blockAt(ctx, b.Number)
	if errors.Is(err, errNoBlock) || err == nil && again.Hash != b.Hash {
		return ErrMoved
	}
	return err
}

func (r *Reader) last() *mark { return &r.marks[len(r.marks)-1] }

func (r *Reader) publish(head Block, pending View, target uint64) {
	last := r.last()
	r.change(func() {
		r.state = &State{Head: head, Confirmed: last.Block, View: last.view, Pending: pending}
		r.status.Confirmed, r.status.Target = last.Number, target
	})
}

// rewind goes back to the last mark that is still on the chain.
func (r *Reader) rewind(ctx context.Context, head Block) error {
	known := len(r.marks)
	for known > 1 && r.marks[known-1].Number > head.Number {
		known--
	}
	if known < len(r.marks) || r.last().Number > head.Number {
		// Servers behind one address differ by some blocks. What was confirmed is
		// not given up for that, unless it stays so.
		if r.behind++; r.behind <= r.cfg.Network.lag() {
			return fmt.Errorf("its newest block is %d, and %d was confirmed: %w", head.Number, r.last().Number, ErrBehind)
		}
	}
	r.behind = 0
	if r.marks[known-1].Number > head.Number {
		r.restart()
		return nil
	}
	// Up to the fork marks are right, and wrong after it.
	var failed error
	right := func(i int) bool {
		m := &r.marks[i]
		if failed != nil || m.Hash.IsZero() { // the block before the contract's was never asked for
			return true
		}
		b, err := r.server.blockAt(ctx, m.Number)
		if err != nil && !errors.Is(err, errNoBlock) {
			failed = err
		}
		return err == nil && b.Hash == m.Hash
	}
	if known == len(r.marks) && right(known-1) {
		return failed
	}
	first := sort.Search(known, func(i int) bool { return !right(i) })
	if failed != nil {
		return failed
	}
	if first == 0 {
		r.cfg.log().Warn("the chain forked before all that was kept; the contract's log is read again", "block", r.marks[0].Number)
		r.restart()
		return nil
	}
	r.cfg.log().Warn("the chain forked below confirmed blocks", "from", r.marks[first-1].Number, "confirmed", r.last().Number)
	r.marks = r.marks[:first]
	return nil
}

// restart forgets everything; the next pages begin where the contract does.
func (r *Reader) restart() {
	r.marks = []mark{{Block: Block{Number: r.cfg.Deployed - min(r.cfg.Deployed, 1)}}}
	r.unsaved, r.seen = dirty{}, Block{}
	r.run++
	r.sweep = true
}

// page reads the next blocks up to target, and marks the last of them. The page
// shrinks while a server refuses it, and grows again afterwards.
func (r *Reader) page(ctx context.Context, target uint64) error {
	from := r.last().Number + 1
	if r.last().Hash.IsZero() {
		from = r.cfg.Deployed
	}
	end, err := r.server.blockBefore(ctx, min(target, from+r.width-1))
	if err != nil {
		return err
	}
	if end.Number < from { // heights without a block; at target there is one
		if from+r.width > target {
			return ErrMoved
		}
		r.width *= 2
		return nil
	}
	logs, err := r.server.logs(ctx, from, end.Number)
	if err == nil {
		err = r.agreedLogs(ctx, from, end.Number, logs)
	}
	if err != nil {
		if tooWide(err) && r.width > 1 && end.Number > from {
			r.width = min(r.width, end.Number-from+1) / 2
			return nil
		}
		return err
	}
	if err := r.stays(ctx, end); err != nil {
		return err
	}
	// The page follows on what was read before: else it would stay, as what is asked
	// in the next pass is whether its last block does.
	if last := r.last().Block; end.parent != last.Hash && !last.Hash.IsZero() {
		if err := r.stays(ctx, last); err != nil {
			return err
		}
	}
	marks, err := r.apply(r.last().view, logs, end)
	if err != nil {
		return err
	}
	r.marks = append(r.marks, marks...)
	r.width = min(r.width+r.width/2+1, r.cfg.Network.MaxRange)
	return nil
}

// apply makes marks of a page: one at its end, and more after blocks within it
// when there is too much for one.
func (r *Reader) apply(from View, logs []*types.Log, end Block) ([]mark, error) {
	var out []mark
	c := from.change()
	bytes := 0
	for i, log := range logs {
		if log.BlockNumber == end.Number && ledger.Hash(log.BlockHash) != end.Hash {
			return nil, ErrMoved
		}
		if err := r.decoder.apply(c, log); err != nil {
			return nil, err
		}
		bytes += len(log.Data)
		ends := i+1 < len(logs) && logs[i+1].BlockNumber != log.BlockNumber
		if ends && (c.size() >= markChanges || bytes >= markBytes) {
			view, err := c.view()
			if err != nil {
				return nil, err
			}
			at := Block{Number: log.BlockNumber, Hash: ledger.Hash(log.BlockHash)}
			out = append(out, mark{at, view, c.dirty()})
			c, bytes = view.change(), 0
		}
	}
	view, err := c.view()
	if err != nil {
		return nil, err
	}
	return append(out, mark{end, view, c.dirty()}), nil
}

// pending is the state at head: events that are not deep enough, over what is.
// They are read anew each time, so that nothing of a fork stays.
func (r *Reader) pending(ctx context.Context, head Block) (View, error) {
	view := r.last().view
	for from := r.last().Number + 1; from <= head.Number; {
		to := min(head.Number, from+r.width-1)
		logs, err := r.server.logs(ctx, from, to)
		if err != nil && tooWide(err) && r.width > 1 && to > from {
			r.width = min(r.width, to-from+1) / 2
			continue
		}
		if err != nil {
			return View{}, err
		}
		c := view.change()
		for _, log := range logs {
			if log.BlockNumber == head.Number && ledger.Hash(log.BlockHash) != head.Hash {
				return View{}, ErrMoved
			}
			if err := r.decoder.apply(c, log); err != nil {
				return View{}, err
			}
		}
		if view, err = c.view(); err != nil {
			return View{}, err
		}
		from = to + 1
	}
	return view, nil
}

// lag is how often in a row a newest block may be before a confirmed one until that
// is a fork. Where the newest is confirmed, there is one server, and no other way for
// a fork to begin.
func (n Network) lag() int {
	if n.Confirmations == 0 {
		return 0
	}
	return maxBehind
}

// young says whether a newest block can be the chain's. Where blocks come on
// demand, any can.
func (n Network) young(head Block, now time.Time) error {
	if n.BlockTime == 0 {
		return nil
	}
	age := now.Sub(time.Unix(int64(min(head.Time, 1<<62)), 0))
	if allowed := max(staleBlocks*n.BlockTime, leastStale); age.Abs() > allowed {
		return fmt.Errorf("its newest block is from %s: %w", time.Unix(int64(min(head.Time, 1<<40)), 0).UTC().Format(time.RFC3339), ErrStale)
	}
	return nil
}

// Funds is what an account has at the newest block, in the chain's own currency;
// the largest amount there is if it has more.
func (r *Reader) Funds(ctx context.Context, a ledger.Address) (ledger.Amount, error) {
	if err := r.server.check(ctx); err != nil {
		return ledger.Amount{}, err
	}
	return r.server.balance(ctx, a)
}

// MaxFee is what a call of an account may cost in fees now, whether the account has it
// or not.
func (r *Reader) MaxFee(ctx context.Context, from ledger.Address, c Call) (ledger.Amount, error) {
	if err := r.server.check(ctx); err != nil {
		return ledger.Amount{}, err
	}
	head, err := r.server.latest(ctx)
	if err != nil {
		return ledger.Amount{}, err
	}
	gas, err := r.server.estimate(ctx, from, c)
	if err != nil {
		return ledger.Amount{}, fmt.Errorf("%s: %w", c.What, err)
	}
	f, err := r.server.fees(ctx, head)
	if err != nil {
		return ledger.Amount{}, err
	}
	return times(gas+gas*r.cfg.Network.GasMargin/100, f.most)
}
