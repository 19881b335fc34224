package member

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/culvert-net/culvert/mesh/gossip"
	"github.com/culvert-net/culvert/mesh/roster"
)

// rotations carries entries that give the group a new master, until as many
// directory signers have signed one as it takes. Each signer adds its signature
// when it sees one; the proposer, who alone has the boxes, appends it.
type rotations struct {
	m *Member

	mu       sync.Mutex
	proposed []roster.Entry // that follow the head; guarded by mu
}

// maxProposed bounds the proposals of one head: members take turns, so that there
// is one as a rule.
const maxProposed = 4

// turn is how long a member has to propose a rotation before it is the next one's
// turn. One at a time: a signer that signed one proposal signs no other, and votes
// that are split stay split until the roster changes otherwise.
const turn = 10 * time.Minute

// Digest implements gossip.Carrier.
func (r *rotations) Digest() [32]byte { return digest("rotations", r.Items()) }

// Items implements gossip.Carrier.
func (r *rotations) Items() [][]byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.drop()
	var out [][]byte
	for _, e := range r.proposed {
		out = append(out, e.Canonical())
	}
	slices.SortFunc(out, bytes.Compare)
	return out
}

// drop forgets what does not follow the head any more. The caller holds mu.
func (r *rotations) drop() {
	_, head := r.m.Roster().Head()
	r.proposed = slices.DeleteFunc(r.proposed, func(e roster.Entry) bool { return e.Previous != head })
}

// Merge implements gossip.Carrier.
func (r *rotations) Merge(items [][]byte) error {
	for _, it := range items {
		e, err := roster.DecodeEntry(bytes.Clone(it))
		if err != nil || !e.Rotation() {
			return fmt.Errorf("%w: a proposal that is no rotation", gossip.ErrEntry)
		}
		r.merge(e)
	}
	return r.finish(context.Background(), time.Now())
}

// merge takes a proposal, or more signatures of one, and adds our own.
func (r *rotations) merge(e roster.Entry) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.drop()
	if _, head := r.m.Roster().Head(); e.Previous != head {
		return
	}
	i := slices.IndexFunc(r.proposed, func(o roster.Entry) bool { return o.Hash() == e.Hash() })
	switch {
	case i >= 0:
		for _, s := range e.Signatures {
			_ = r.m.Roster().AddSignature(&r.proposed[i], s) // a bad one adds nothing
		}
	case len(r.proposed) < maxProposed && r.good(&e, time.Now()):
		sigs := e.Signatures
		e.Signatures = nil
		for _, s := range sigs {
			_ = r.m.Roster().AddSignature(&e, s)
		}
		r.proposed = append(r.proposed, e)
		i = len(r.proposed) - 1
	default:
		return
	}
	// Who is no signer, or has signed another, gives none; that is no news.
	if s, err := r.m.cosigner.Cosign(context.Background(), r.proposed[i], time.Now()); err == nil {
		_ = r.m.Roster().AddSignature(&r.proposed[i], s)
	}
}

// good reports whether a proposal that is new here takes one of the few places: it
// is its proposer's first, who signed it in its turn. The caller holds mu.
func (r *rotations) good(e *roster.Entry, now time.Time) bool {
	same := func(o roster.Entry) bool { return o.Proposer == e.Proposer }
	return !slices.ContainsFunc(r.proposed, same) && r.m.Roster().CheckProposal(*e, now) == nil &&
		r.turnOf(e.Proposer, time.UnixMilli(int64(e.Time)))
}

// turnOf reports whether a rotation after the head is due at a time, and it is then
// a member's turn to propose it. Signers hold proposers to it: else whoever is
// always early makes every master, or takes the signatures and hands out nothing.
func (r *rotations) turnOf(member roster.Key, when time.Time) bool {
	_, head := r.m.Roster().Head()
	at, _ := r.m.Roster().Entry(head)
	rank, is := r.m.Roster().Rank(member)
	since := when.Sub(time.UnixMilli(int64(at.Time)).Add(roster.MasterLife))
	return is && since >= 0 && int(since/turn)%len(r.m.Roster().Members()) == rank
}

// finish appends our own proposal if enough have signed it.
func (r *rotations) finish(ctx context.Context, now time.Time) error {
	r.mu.Lock()
	i := slices.IndexFunc(r.proposed, func(e roster.Entry) bool { return e.Proposer == r.m.self && r.enough(e) })
	var e roster.Entry
	if i >= 0 {
		e = r.proposed[i]
	}
	r.mu.Unlock()
	if i < 0 {
		return nil
	}
	own, boxes, err := r.m.cosigner.Rotate(ctx, now)
	if err != nil || own.Hash() != e.Hash() {
		return err // it follows another head by now
	}
	if err := r.m.chain.Append(e, &boxes, now); err != nil {
		return err
	}
	if err := r.m.keys.Open(r.m.self, boxes); err != nil {
		return err
	}
	r.m.cfg.Log.Info("the group has a new key", "generation", e.Generation)
	r.m.update()
	return nil
}

// enough reports whether as many signers have signed as it takes.
func (r *rotations) enough(e roster.Entry) bool {
	terms := r.m.cfg.World.Terms()
	signed := 0
	for _, s := range e.Signatures {
		if slices.Contains(terms.Signers, s.Key) {
			signed++
		}
	}
	return signed >= int(terms.DirectoryThreshold)
}

// propose begins a rotation if one is due and it is this member's turn.
func (r *rotations) propose(ctx context.Context, now time.Time) error {
	if allowed, due := r.m.Roster().Rotation(now); !allowed || !due || !r.turnOf(r.m.self, now) {
		return nil
	}
	e, _, err := r.m.cosigner.Rotate(ctx, now)
	if errors.Is(err, roster.ErrSigned) {
		return nil // another's is on its way
	}
	if err != nil {
		return err
	}
	r.merge(e)
	return r.finish(ctx, now)
}
