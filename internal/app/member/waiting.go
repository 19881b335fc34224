package member

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/culvert-net/culvert/mesh/gossip"
	"github.com/culvert-net/culvert/mesh/roster"
)

// waiting carries changes of the roster that wait for approvals, so that those
// who may approve learn of them and their approvals come back. Changes that were
// asked for here are in the pool, on disk; those of others are in memory and come
// again by sync. Only where a change was asked for is it carried out: two members
// that did so at once would fork the roster.
type waiting struct {
	m *Member

	mu     sync.Mutex
	others map[asked]roster.Petition // guarded by mu
}

// asked is one petition of others: what a member asked for somebody. Each member's
// has a place of its own, or whoever is to be evicted could ask first, and nobody
// would hear of those who mean it.
type asked struct{ member, proposer roster.Key }

func byAsked(a, b asked) int {
	return cmp.Or(bytes.Compare(a.member[:], b.member[:]), bytes.Compare(a.proposer[:], b.proposer[:]))
}

const (
	// maxOthers bounds the changes of others that are kept; what is beyond it comes
	// when there is room.
	maxOthers = 256

	// maxUnapproved bounds those of one proposer that nobody has approved, so that no
	// member can take all the room.
	maxUnapproved = 16
)

// Digest implements gossip.Carrier.
func (w *waiting) Digest() [32]byte { return digest("waiting", w.Items()) }

// Items implements gossip.Carrier.
func (w *waiting) Items() [][]byte {
	var out [][]byte
	for _, q := range w.all(time.Now()) {
		out = append(out, q.Canonical())
	}
	return out
}

// all are the petitions that wait, own ones first, each in the order of keys.
func (w *waiting) all(now time.Time) []roster.Petition {
	var out []roster.Petition
	own, err := w.m.pool.List(context.Background(), now)
	if err != nil {
		w.m.cfg.Log.Warn("reading what waits for approvals", "err", err)
	}
	for _, x := range own {
		out = append(out, x.Petition)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, key := range slices.SortedFunc(maps.Keys(w.others), byAsked) {
		q := w.others[key]
		if w.settled(q.Change) {
			delete(w.others, key)
			continue
		}
		out = append(out, q)
	}
	return out
}

// settled reports whether a change was carried out, or cannot be any more.
func (w *waiting) settled(c roster.Change) bool {
	m, is := w.m.Roster().Member(c.Member.Key)
	if c.Kind == roster.Add {
		return is
	}
	return !is || m != c.Member
}

// Merge implements gossip.Carrier.
func (w *waiting) Merge(items [][]byte) error {
	for _, it := range items {
		q, err := roster.DecodePetition(bytes.Clone(it))
		if err != nil {
			return fmt.Errorf("%w: %w", gossip.ErrEntry, err)
		}
		if err := w.take(q, time.Now()); err != nil {
			return err
		}
	}
	return nil
}

// take takes the good approvals of a petition. One without any counts as long as
// its proposer is a member: who invites need not be one of those who admit. Nobody
// can propose to remove itself, so who asks for that only wants to stand in the way.
func (w *waiting) take(q roster.Petition, now time.Time) error {
	c := q.Change
	good := slices.DeleteFunc(slices.Clone(c.Approvals), func(a roster.Approval) bool {
		return w.m.Roster().CheckApproval(q, a, now) != nil
	})
	_, is := w.m.Roster().Member(q.Proposer)
	if w.settled(c) || len(good) == 0 && !is || c.Kind == roster.Remove && q.Proposer == c.Member.Key {
		return nil
	}
	own, err := w.m.pool.List(context.Background(), now)
	if err != nil {
		return err
	}
	for _, x := range own {
		if x.Change.Member.Key != c.Member.Key || x.Proposer != q.Proposer {
			continue // approvals are for one proposer
		}
		if x.Change.Kind != c.Kind || x.Change.Member != c.Member {
			return nil // another was asked for here
		}
		for _, a := range good {
			if err := w.m.pool.Approve(context.Background(), c.Member.Key, a, now); err != nil {
				return err
			}
		}
		w.m.update() // there may be enough now
		return nil
	}
	w.keep(q, good)
	return nil
}

// keep adds a petition of others, or approvals to it.
func (w *waiting) keep(q roster.Petition, good []roster.Approval) {
	c := &q.Change
	w.mu.Lock()
	defer w.mu.Unlock()
	name := asked{c.Member.Key, q.Proposer}
	old, known := w.others[name]
	if known && (old.Change.Kind != c.Kind || old.Change.Member != c.Member) {
		return // its first one stands until it is settled
	}
	if !known && (len(good) == 0 && w.unapproved(q.Proposer) >= maxUnapproved || !w.room(len(good) > 0)) {
		return
	}
	if known {
		c.Ticket, c.Approvals = old.Change.Ticket, slices.Clone(old.Change.Approvals)
	} else {
		c.Approvals = nil
	}
	for _, a := range good {
		if len(c.Approvals) < roster.MaxApprovals && !slices.ContainsFunc(c.Approvals, func(o roster.Approval) bool { return o.Key == a.Key }) {
			c.Approvals = append(c.Approvals, a)
		}
	}
	w.others[name] = q
}

// room reports whether there is room for one more. For what somebody has approved
// it makes some. The caller holds mu.
func (w *waiting) room(approved bool) bool {
	if len(w.others) < maxOthers {
		return true
	}
	if approved {
		for name, q := range w.others {
			if len(q.Change.Approvals) == 0 {
				delete(w.others, name)
				return true
			}
		}
	}
	return false
}

// unapproved is how many petitions of a proposer nobody has approved. The caller
// holds mu.
func (w *waiting) unapproved(proposer roster.Key) int {
	n := 0
	for _, q := range w.others {
		if q.Proposer == proposer && len(q.Change.Approvals) == 0 {
			n++
		}
	}
	return n
}

// of is the petition of a key that waits. If two members ask for the same, all
// approve that which has most approvals, of two that have as many the one of the
// smaller key: approvals are for one proposer, and would be split else. One without
// any may be there to split them.
func (w *waiting) of(key roster.Key, now time.Time) (roster.Petition, error) {
	list := slices.DeleteFunc(w.all(now), func(q roster.Petition) bool { return q.Change.Member.Key != key })
	if len(list) == 0 {
		return roster.Petition{}, fmt.Errorf("nobody with the key %x waits to be admitted or evicted; see: observer world show", key[:4])
	}
	return slices.MinFunc(list, func(a, b roster.Petition) int {
		return cmp.Or(cmp.Compare(len(b.Change.Approvals), len(a.Change.Approvals)), bytes.Compare(a.Proposer[:], b.Proposer[:]))
	}), nil
}

// approve adds this node's own approval to a change that waits, and says what it
// still needs.
func (w *waiting) approve(ctx context.Context, key roster.Key, now time.Time) (roster.Change, int, error) {
	q, err := w.of(key, now)
	if err != nil {
		return roster.Change{}, 0, err
	}
	a, err := w.m.Roster().Approve(w.m.cfg.Key, q, w.m.cfg.Providers, now)
	if err != nil {
		return q.Change, 0, err
	}
	// One that was given before does not count twice.
	q.Change.Approvals = with(q.Change.Approvals, a)
	if err := w.take(q, now); err != nil {
		return q.Change, 0, err
	}
	if err := w.m.settle(ctx, now); err != nil {
		return q.Change, 0, err
	}
	return q.Change, w.m.Roster().Missing(q, now), nil
}

// with are the approvals with a, in place of one that its founder or voucher gave
// before.
func with(all []roster.Approval, a roster.Approval) []roster.Approval {
	return append(slices.DeleteFunc(slices.Clone(all), func(x roster.Approval) bool { return x.Key == a.Key }), a)
}
