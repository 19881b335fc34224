package notary

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/culvert-net/culvert/mesh/directory/bundle"
	"github.com/culvert-net/culvert/mesh/quorum"
	"github.com/culvert-net/culvert/mesh/world"
)

// Why an attempt ended without a root.
var (
	errTooFew = errors.New("too few directory signers answer, or would sign")
	errSplit  = errors.New("directory signers signed different roots for this epoch, none of them often enough; the next epoch has a root again")
	errNobody = errors.New("no node is known yet")
)

// Propose makes the root of now's epoch with the others, or helps to finish one
// that this signer has signed already. Nil means that there is a root. Run calls
// it when it is this signer's turn.
func (n *Notary) Propose(ctx context.Context, now time.Time) error {
	epoch := n.cfg.World.Epoch(now)
	err := errTooFew
	fresh := false // what this signer signed is of this attempt
	for range maxRounds {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := n.cfg.Store.Forked(); err != nil {
			return err
		}
		if newest := n.cfg.Store.Highest(); newest != nil && newest.Epoch >= epoch {
			return nil
		}
		var again bool
		if content, signed := n.cfg.Memory.Signed(quorum.RootOf(epoch)); signed {
			again, err = n.collect(ctx, epoch, content, fresh, now)
		} else {
			fresh = true
			again, err = n.review(ctx, epoch, now)
		}
		if !again {
			return err
		}
	}
	return err
}

// review puts a draft together and asks the others whether they would sign it.
// Only when enough would does this signer sign itself: before that, it can still
// take in what the others know.
func (n *Notary) review(ctx context.Context, epoch uint64, now time.Time) (again bool, err error) {
	d, previous, err := n.draft(epoch, now)
	if err != nil {
		return false, err
	}
	would := 1
	var taken []proposal
	for _, a := range n.askAll(ctx, requestReview, d, previous, n.others) {
		switch a.kind {
		case answerWould:
			would++
		case answerLacking:
			again = n.take(a.lacking, now) || again
		case answerHave:
			again = n.have(a.have, now) || again
		case answerTaken:
			taken = append(taken, a.taken)
		}
	}
	if n.joinMost(ctx, taken, now) || again {
		return true, errTooFew
	}
	if would < n.cfg.Quorum.Threshold {
		return false, fmt.Errorf("%w: %d of the %d it takes", errTooFew, would, n.cfg.Quorum.Threshold)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	err = n.sign(d)
	return err == nil || errors.Is(err, quorum.ErrTaken), err // taken: signed another's meanwhile
}

// draft is the root this signer would propose now, and the one before it.
func (n *Notary) draft(epoch uint64, now time.Time) (*draft, *bundle.SignedRoot, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	var all [][]byte
	live := n.cfg.Set.Live(epoch, n.last())
	for _, b := range live {
		all = append(all, bundle.Descriptor(b))
	}
	for _, b := range n.cfg.Set.LiveSheets(n.cfg.Set.ReadContent(epoch, live), n.last()) {
		all = append(all, bundle.Sheet(b))
	}
	previous := n.cfg.Store.Highest()
	if len(all) == 0 && previous == nil {
		return nil, nil, errNobody
	}
	leaves, err := bundle.NewLeaves(all)
	if err != nil {
		return nil, nil, err
	}
	root := bundle.Root{
		World: n.cfg.World.ID, Epoch: epoch, Count: uint32(leaves.Len()), Leaves: leaves.Merkle(),
		Time: uint64(max(0, now.UnixMilli())),
	}
	root.Generation, root.Roster = n.cfg.Roster.Head()
	if previous != nil {
		root.Previous = previous.ID()
	}
	return &draft{SignedRoot: bundle.SignedRoot{Root: root}, leaves: leaves}, previous, nil
}

// take adds what another signer misses, and reports whether there was anything
// new in it.
func (n *Notary) take(leaves [][]byte, now time.Time) bool {
	l, err := bundle.NewLeaves(leaves)
	if err != nil {
		return false
	}
	var ds []world.Descriptor
	for _, b := range l.Descriptors() {
		if d, err := world.DecodeDescriptor(b); err == nil {
			ds = append(ds, d)
		}
	}
	before := n.cfg.Set.Snapshot()
	n.cfg.Set.Add(ds, now)
	n.cfg.Set.AddSheets(l.Sheets(), true, now)
	return n.cfg.Set.Snapshot() != before // a contradiction is news too, though nothing is added
}

// have takes a finished root that another signer knows.
func (n *Notary) have(r bundle.SignedRoot, now time.Time) (news bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	before := n.cfg.Store.Highest()
	n.learn(r, now)
	return n.cfg.Store.Highest() != before
}

// joinMost joins what most others have signed: a vote for something else could be
// the one that it lacks. Who sees the same votes joins the same.
func (n *Notary) joinMost(ctx context.Context, taken []proposal, now time.Time) (joined bool) {
	for _, c := range byVotes(taken) {
		if n.join(ctx, c.proposal, now) {
			return true
		}
	}
	return false
}

// candidate is what others have signed for an epoch, with whoever is said to have.
// A signature that is none is found out when it is joined.
type candidate struct {
	proposal
	by map[[32]byte]bool
}

// byVotes is what others have signed, what has most names first.
func byVotes(taken []proposal) []candidate {
	var out []candidate
	for _, p := range taken {
		i := slices.IndexFunc(out, func(c candidate) bool { return c.ID() == p.ID() })
		if i < 0 {
			i = len(out)
			out = append(out, candidate{proposal: p, by: make(map[[32]byte]bool)})
		}
		for _, sig := range p.Signatures {
			out[i].by[sig.Signer] = true
		}
	}
	slices.SortFunc(out, func(a, b candidate) int {
		x, y := a.ID(), b.ID()
		return cmp.Or(cmp.Compare(len(b.by), len(a.by)), bytes.Compare(x[:], y[:]))
	})
	return out
}

// yields reports whether others have signed something else more often than what
// this signer has signed: to ask for votes would take them from that. It does so a
// few times an epoch: it may be that nobody else will sign the other.
func (n *Notary) yields(d *draft, taken []proposal) bool {
	good := slices.DeleteFunc(slices.Clone(taken), func(p proposal) bool {
		signed := p.Signed()
		return signed.VerifySome(n.cfg.World.ID, n.cfg.Quorum) != nil
	})
	own := 0
	all := byVotes(append(good, d.proposal()))
	for _, c := range all {
		if c.ID() == d.ID() {
			own = len(c.by)
		}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.yielded.epoch != d.Epoch {
		n.yielded.epoch, n.yielded.times = d.Epoch, 0
	}
	if len(all[0].by) <= own || n.yielded.times == maxYields {
		return false
	}
	n.yielded.times++
	return true
}

// join signs what another signer has signed for the epoch, if it stands up: with
// a vote given there, a draft of our own could not be finished. If ours was the
// last name that was missing, the others are told.
func (n *Notary) join(ctx context.Context, p proposal, now time.Time) (joined bool) {
	n.mu.Lock()
	a := n.consider(&request{kind: requestSign, world: n.cfg.World.ID, proposal: p}, now)
	d := n.copyPending(p.ID())
	n.mu.Unlock()
	if a.kind == answerSigned && len(d.Signatures) >= n.cfg.Quorum.Threshold {
		n.tell(ctx, d)
	}
	return a.kind == answerSigned || a.kind == answerHave
}

// tell gives a finished root to everybody, so that whoever comes next has it.
func (n *Notary) tell(ctx context.Context, d *draft) {
	n.askAll(ctx, requestSign, d, nil, n.others)
}

// copyPending is the pending draft, if it is the one of that root. The caller
// holds mu.
func (n *Notary) copyPending(id world.Hash) *draft {
	if n.pending == nil || n.pending.ID() != id {
		return nil
	}
	return &draft{
		SignedRoot: bundle.SignedRoot{Root: n.pending.Root, Signatures: slices.Clone(n.pending.Signatures)},
		leaves:     n.pending.leaves,
	}
}

// collect asks for signatures under what this signer has signed. Where that was in
// an earlier attempt, others may have gone on without it: it looks first.
func (n *Notary) collect(ctx context.Context, epoch uint64, content world.Hash, fresh bool, now time.Time) (again bool, err error) {
	n.mu.Lock()
	d := n.copyPending(content)
	n.mu.Unlock()
	if !fresh || d == nil {
		taken, news := n.lookAround(ctx, epoch, now)
		switch {
		case news:
			return true, errTooFew
		case d == nil:
			// Only the fact is on this signer's disk, not the bundle.
			again = n.joinMost(ctx, taken, now)
			return again, fmt.Errorf("%w: what was signed for this epoch is lost, and nobody who answers has it", errTooFew)
		case n.yields(d, taken):
			return false, errSplit
		}
	}
	split := false
	for _, a := range n.askAll(ctx, requestSign, d, n.cfg.Store.Highest(), n.others) {
		switch a.kind {
		case answerSigned:
			n.add(d, a.signatures)
		case answerHave:
			again = n.have(a.have, now) || again
		case answerTaken:
			split = true
		}
	}
	n.mu.Lock()
	signatures := n.pendingSignatures(d.ID())
	n.mu.Unlock()
	if len(signatures) < n.cfg.Quorum.Threshold {
		err = fmt.Errorf("%w: %d of the %d it takes", errTooFew, len(signatures), n.cfg.Quorum.Threshold)
		if split {
			err = errSplit
		}
		return again, err
	}
	d.Signatures = signatures
	n.tell(ctx, d)
	return false, nil
}

// add takes signatures that another signer has for d.
func (n *Notary) add(d *draft, sigs []quorum.Signature) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.pending == nil || n.pending.ID() != d.ID() {
		return
	}
	signed := quorum.Signed{Statement: d.Statement(), Signatures: sigs}
	if signed.VerifySome(n.cfg.World.ID, n.cfg.Quorum, n.pending.Signatures...) == nil {
		n.merge(sigs)
	}
}

// lookAround asks the others what they have of an epoch: what they have signed, and
// whether there is a root already.
func (n *Notary) lookAround(ctx context.Context, epoch uint64, now time.Time) (taken []proposal, news bool) {
	q := request{kind: requestPoll, world: n.cfg.World.ID, epoch: epoch}
	for _, a := range n.each(n.others, func(signer [32]byte) (answer, error) { return n.ask(ctx, signer, &q) }) {
		switch a.kind {
		case answerHave:
			news = n.have(a.have, now) || news
		case answerTaken:
			taken = append(taken, a.taken)
		}
	}
	return taken, news
}
