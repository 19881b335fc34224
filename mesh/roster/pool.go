package roster

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/culvert-net/culvert/internal/kv"
	"github.com/culvert-net/culvert/mesh/world/postcard"
)

// bucketPool has the changes that wait for approvals, by the member's key.
const bucketPool = "roster-pool"

// Pool collects approvals of changes until there are enough, over days and
// restarts. Each is a petition, which goes to
// those who may approve.
type Pool struct {
	roster   *Roster
	store    kv.Store
	proposer Key
}

// NewPool keeps in store the changes that a member is to propose.
func NewPool(r *Roster, store kv.Store, proposer Key) *Pool {
	return &Pool{roster: r, store: store, proposer: proposer}
}

// Waiting is a petition in the pool.
type Waiting struct {
	Petition
	Since   time.Time
	Missing int // approvals
}

// Put begins to collect for a change, and is no error if that has begun. One of
// the same key that differs in kind or fields takes the place of the old, whose
// approvals are for something else.
func (p *Pool) Put(ctx context.Context, c Change, now time.Time) error {
	err := p.store.Update(ctx, func(tx kv.Tx) error {
		old, since, err := getWaiting(tx, c.Member.Key)
		switch {
		case errors.Is(err, kv.ErrNotFound):
			n, err := sweepPool(tx, now)
			if err != nil {
				return err
			}
			if n >= maxPending {
				return fmt.Errorf("%w: %d changes wait for approvals", ErrFull, n)
			}
			since = now
		case err != nil:
			return err
		case old.Kind == c.Kind && old.Member == c.Member:
			if c.Ticket == nil {
				c.Ticket = old.Ticket
			}
			c.Approvals = merge(old.Approvals, c.Approvals)
		default:
			since = now
		}
		return putWaiting(tx, c, since)
	})
	if err != nil {
		return fmt.Errorf("collecting approvals for %s: %w", short(c.Member.Key), err)
	}
	return nil
}

// merge is old with what is new for its key. An approval of a key that has one
// replaces it: it lasts longer, or is of a newer standing.
func merge(old, more []Approval) []Approval {
	out := slices.DeleteFunc(slices.Clone(old), func(o Approval) bool {
		return slices.ContainsFunc(more, func(n Approval) bool { return n.Key == o.Key })
	})
	return append(out, more...)
}

// Approve adds an approval, if it is good as the roster stands.
func (p *Pool) Approve(ctx context.Context, member Key, a Approval, now time.Time) error {
	err := p.store.Update(ctx, func(tx kv.Tx) error {
		c, since, err := getWaiting(tx, member)
		if errors.Is(err, kv.ErrNotFound) {
			return errors.New("nobody asked for it; it may be settled")
		}
		if err != nil {
			return err
		}
		if err := p.roster.CheckApproval(Petition{p.proposer, c}, a, now); err != nil {
			return err
		}
		c.Approvals = merge(c.Approvals, []Approval{a})
		if len(c.Approvals) > MaxApprovals {
			return fmt.Errorf("%w: %d approvals", ErrFull, len(c.Approvals))
		}
		return putWaiting(tx, c, since)
	})
	if err != nil {
		return fmt.Errorf("approval for %s by %s: %w", short(member), short(a.Key), err)
	}
	return nil
}

// CheckApproval says what is wrong with one approval, as the roster stands.
func (r *Roster) CheckApproval(q Petition, a Approval, now time.Time) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.rules.checkApproval(r.state, q, a, r.rules.world.Epoch(now))
}

// List are the changes that wait, with what each still needs. Those that were
// done meanwhile are not among them.
func (p *Pool) List(ctx context.Context, now time.Time) ([]Waiting, error) {
	var out []Waiting
	err := p.store.View(ctx, func(tx kv.Tx) error {
		out = nil
		return tx.Scan(bucketPool, nil, func(_, value []byte) error {
			c, since, err := decodeWaiting(value)
			if err != nil {
				return err
			}
			m, is := p.roster.Member(c.Member.Key)
			done := c.Kind == Add && is || c.Kind == Remove && (!is || m != c.Member)
			if !done && now.Before(since.Add(ApprovalLife)) {
				out = append(out, Waiting{Petition: Petition{p.proposer, c}, Since: since})
			}
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("listing changes that wait for approvals: %w", err)
	}
	for i, w := range out { // signatures are checked outside of the transaction
		out[i].Missing = p.roster.Missing(w.Petition, now)
	}
	return out, nil
}

// Drop ends the wait for a member's change, whether there is one or not.
func (p *Pool) Drop(ctx context.Context, member Key) error {
	err := p.store.Update(ctx, func(tx kv.Tx) error { return tx.Delete(bucketPool, member[:]) })
	if err != nil {
		return fmt.Errorf("forgetting the change of %s: %w", short(member), err)
	}
	return nil
}

// sweepPool deletes what waited for too long and counts what is left.
func sweepPool(tx kv.Tx, now time.Time) (left int, err error) {
	var old [][]byte
	err = tx.Scan(bucketPool, nil, func(key, value []byte) error {
		_, since, err := decodeWaiting(value)
		if err != nil {
			return err
		}
		if now.Before(since.Add(ApprovalLife)) {
			left++
		} else {
			old = append(old, slices.Clone(key))
		}
		return nil
	})
	for _, key := range old {
		if err == nil {
			err = tx.Delete(bucketPool, key)
		}
	}
	return left, err
}

// poolFormat is the first byte of a record.
const poolFormat = 1

func getWaiting(tx kv.Tx, member Key) (Change, time.Time, error) {
	b, err := tx.Get(bucketPool, member[:])
	if err != nil {
		return Change{}, time.Time{}, err
	}
	return decodeWaiting(b)
}

func putWaiting(tx kv.Tx, c Change, since time.Time) error {
	b := postcard.AppendUint([]byte{poolFormat}, uint64(max(0, since.Unix())))
	return tx.Put(bucketPool, c.Member.Key[:], c.append(b))
}

func decodeWaiting(b []byte) (Change, time.Time, error) {
	d := postcard.NewDecoder(b)
	if f := d.U8(); d.Err() == nil && f != poolFormat {
		return Change{}, time.Time{}, fmt.Errorf("a change of format %d needs a newer program", f)
	}
	since := time.Unix(int64(min(d.U64(), 1<<40)), 0).UTC()
	c := readChange(d)
	if err := d.Finish(); err != nil {
		return Change{}, time.Time{}, fmt.Errorf("a change that waits: %w: %w", ErrDamaged, err)
	}
	return c, since, nil
}
