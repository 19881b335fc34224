package directory

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/culvert-net/culvert/mesh/world"
	"lukechampine.com/blake3"
)

// publisher is the part of a Client that says who its own node is. Its fields
// are owned by Run until it calls run, and by run from then on.
type publisher struct {
	*Client

	own       []world.Descriptor    // what is said at present
	told      map[string]world.Hash // by seed: fingerprint of what it needs to hear no more
	tries     int                   // rounds since own changed
	changedAt time.Time             // when own changed last
	woe       trouble               // of publications
}

func newPublisher(c *Client) *publisher {
	return &publisher{Client: c, told: make(map[string]world.Hash)}
}

func (p *publisher) run(ctx context.Context) {
	for {
		wait := p.step(ctx)
		timer := time.NewTimer(wait)
		delay := time.Duration(0)
		select {
		case <-timer.C:
		case <-p.changed:
			delay = changeDelay
		case <-p.epoch:
			// Everybody's epoch begins now; seeds are glad of some spread.
			delay = rand.N(p.cfg.World.EpochLen() / 64)
		case <-ctx.Done():
		}
		timer.Stop()
		if ctx.Err() != nil || !sleep(ctx, delay) {
			return
		}
	}
}

// step brings the own descriptors up to date, tells seeds that do not know
// them, and returns when to come again without being called.
func (p *publisher) step(ctx context.Context) time.Duration {
	wait, err := p.describe(time.Now())
	text := explainOwn(err)
	if err != nil {
		wait = lastRepublish
	}
	all, failed := p.tell(ctx)
	if ctx.Err() != nil {
		return wait
	}
	if err == nil {
		err, text = failed, explain(failed)
	}
	p.note(text, err)
	if all {
		return wait
	}
	p.tries++
	again := backoff(firstRepublish, min(lastRepublish, p.cfg.World.EpochLen()/4), p.tries-1)
	return min(wait, again)
}

// describe puts what Self says into the set, under a new seq if it differs from
// what the set holds, and on disk before anybody hears of it. wait is when the
// content is to be looked at again at the latest.
func (p *publisher) describe(now time.Time) (wait time.Duration, err error) {
	w := p.cfg.World
	wait = w.EpochLen()
	if err := p.cfg.Keys.Rotate(now); err != nil {
		return wait, err
	}
	epoch := w.Epoch(now)
	n, ok := p.cfg.Self()
	if !ok {
		if len(p.own) > 0 && p.own[0].Epoch != epoch {
			p.say(nil)
		}
		return wait, nil
	}
	n.Onion = p.cfg.Keys.Public()
	seq, changes, have := p.cfg.Set.Said(p.self, epoch)
	want, err := Build(p.cfg.Key, w.ID, epoch, seq, n)
	if err != nil {
		return wait, fmt.Errorf("describing this node: %w", err)
	}
	if fingerprint(want) == fingerprint(have) {
		p.say(have)
		return wait, nil
	}
	if due := p.changedAt.Add(p.holdOff(changes)); now.Before(due) {
		p.say(have)
		return due.Sub(now), nil
	}
	// The seq comes from the clock, so that a node that lost its memory does not
	// use one twice: that would be equivocation.
	seq = max(seq+1, uint64(max(0, now.Unix())))
	if want, err = Build(p.cfg.Key, w.ID, epoch, seq, n); err != nil {
		return wait, fmt.Errorf("describing this node: %w", err)
	}
	if res := p.cfg.Set.Add(want, now); len(res.Refused) > 0 {
		p.say(have)
		return wait, fmt.Errorf("describing this node: %w", res.Refused[0].Reason)
	}
	p.changedAt = now
	p.say(want)
	if err := p.cache.save(); err != nil {
		p.cfg.Log.Warn("directory cache not written", "err", err) // the clock-made seq has to do
	}
	return wait, nil
}

// holdOff is how long after a change the next one may come, given how many the
// epoch has seen, so that the last of the few that are allowed is not spent at
// its beginning.
func (p *publisher) holdOff(changes int) time.Duration {
	switch changes {
	case 0, 1:
		return 0
	case 2:
		return p.cfg.World.EpochLen() / 8
	default:
		return p.cfg.World.EpochLen() / 4
	}
}

// say makes ds what seeds are told.
func (p *publisher) say(ds []world.Descriptor) {
	if fingerprint(ds) != fingerprint(p.own) {
		p.tries = 0
	}
	p.own = ds
}

// tell publishes to all seeds that do not know the present content, at once,
// and reports whether all do now, and what went wrong if anything did.
func (p *publisher) tell(ctx context.Context) (all bool, failed error) {
	if len(p.own) == 0 {
		return true, nil
	}
	now := fingerprint(p.own)
	var pending []string
	for _, seed := range p.sources {
		if p.told[seed] != now {
			pending = append(pending, seed)
		}
	}
	type outcome struct {
		seed   string
		result Result
		err    error
	}
	outcomes := make(chan outcome, len(pending))
	var wg sync.WaitGroup
	defer wg.Wait()
	for _, seed := range pending {
		wg.Go(func() {
			o := outcome{seed: seed}
			o.err = p.exchange(ctx, seed, publishTimeout, func(rw io.ReadWriter) (err error) {
				o.result, err = Publish(rw, p.cfg.World.ID, p.own)
				return err
			})
			outcomes <- o
		})
	}
	left := 0
	for range pending {
		o := <-outcomes
		err := o.err
		if err == nil && len(o.result.Refused) > 0 {
			err = o.result.Refused[0].Reason
		}
		if final(err) {
			p.told[o.seed] = now
		} else {
			left++
		}
		switch {
		case err == nil, errors.Is(err, ReasonNotTaking): // a mirror that leaves it to others
		case errors.Is(err, ReasonOldSeq):
			nudge(p.refresh) // we said more than we remember: learn it
			fallthrough
		default:
			failed = err
		}
	}
	p.mu.Lock()
	p.status.PublishedTo = len(p.sources) - left
	if left < len(pending) {
		p.status.Published = time.Now()
	}
	p.mu.Unlock()
	return left == 0, failed
}

// note keeps an outcome for Status, and tells operators of a failure that
// lasts.
func (p *publisher) note(text string, err error) {
	p.mu.Lock()
	p.status.PublishError = text
	p.mu.Unlock()
	if p.woe.warn(text, time.Now()) {
		p.cfg.Log.Warn("not published everywhere", "err", err)
	}
}

// passes reports whether a refusal by the own set is over with the epoch, and
// so no reason not to run.
func passes(err error) bool {
	var r Reason
	if !errors.As(err, &r) {
		return false
	}
	return r == ReasonEquivocal || r == ReasonChanges || r == ReasonFull
}

// final reports whether it is of no use to send the same content again: it was
// taken, or refused for what it is.
func final(err error) bool {
	var r Reason
	switch {
	case err == nil:
		return true
	case !errors.As(err, &r):
		return false
	}
	switch r {
	case ReasonEpoch, ReasonFull, ReasonOldSeq:
		return false // clocks, other keys' epochs and our memory change
	}
	return true
}

// fingerprint is equal for equal contents, in whatever order.
func fingerprint(ds []world.Descriptor) world.Hash {
	ids := make([]world.Hash, 0, len(ds))
	for i := range ds {
		ids = append(ids, ds[i].ID)
	}
	slices.SortFunc(ids, func(a, b world.Hash) int { return slices.Compare(a[:], b[:]) })
	h := blake3.New(len(world.Hash{}), nil)
	for _, id := range ids {
		h.Write(id[:]) // a hash's Write returns no error
	}
	return world.Hash(h.Sum(nil))
}
