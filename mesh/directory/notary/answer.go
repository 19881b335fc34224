package notary

import (
	"bytes"
	"errors"
	"slices"
	"time"

	"github.com/culvert-net/culvert/mesh/directory"
	"github.com/culvert-net/culvert/mesh/directory/bundle"
	"github.com/culvert-net/culvert/mesh/directory/mirror"
	"github.com/culvert-net/culvert/mesh/quorum"
	"github.com/culvert-net/culvert/mesh/world"
)

// Answer is what this signer says to another one's request.
func (n *Notary) Answer(message []byte, now time.Time) []byte {
	q, err := decodeRequest(message)
	if err != nil {
		return refuse(refusedRequest).encode()
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.consider(&q, now).encode()
}

func refuse(r refusal) *answer { return &answer{kind: answerRefused, reason: r} }

// consider looks at a request, cheap things first. The caller holds mu.
func (n *Notary) consider(q *request, now time.Time) *answer {
	w, store := n.cfg.World, n.cfg.Store
	switch {
	case q.world != w.ID:
		return refuse(refusedWorld)
	case store.Proof() != nil:
		return refuse(refusedForked)
	case q.kind == requestPoll:
		return n.poll(q.epoch)
	}
	root := q.proposal.SignedRoot
	if root.World != w.ID {
		return refuse(refusedWorld)
	}
	if a := n.known(root); a != nil {
		return a
	}
	signed := root.Signed()
	if err := signed.VerifySome(w.ID, n.cfg.Quorum, n.pendingSignatures(root.ID())...); err != nil {
		return refuse(refusedContent)
	}
	if len(root.Signatures) >= n.cfg.Quorum.Threshold {
		return n.accept(q, now)
	}
	if content, ok := n.cfg.Memory.Signed(root.Statement().Slot); ok && content == root.ID() {
		return n.again(q)
	}
	if a := n.inTime(root.Root, now); a != nil {
		return a
	}
	if content, ok := n.cfg.Memory.Signed(root.Statement().Slot); ok {
		if n.pending != nil && n.pending.ID() == content {
			return &answer{kind: answerTaken, taken: n.pending.proposal()}
		}
		return refuse(refusedTaken)
	}
	if a := n.follows(q, now); a != nil {
		return a
	}
	leaves, a := n.gather(q)
	if a != nil {
		return a
	}
	if a := n.judge(root.Root, leaves, now); a != nil {
		return a
	}
	if q.kind == requestReview {
		return &answer{kind: answerWould}
	}
	return n.signAnswer(root, leaves)
}

// signAnswer signs and says so.
func (n *Notary) signAnswer(root bundle.SignedRoot, leaves *bundle.Leaves) *answer {
	if err := n.sign(&draft{SignedRoot: root, leaves: leaves}); err != nil {
		n.cfg.Log.Warn("a directory root is not signed", "epoch", root.Epoch, "err", err)
		return refuse(refusedBroken)
	}
	return &answer{kind: answerSigned, signatures: n.pendingSignatures(root.ID())}
}

// again signs what this signer has signed already, without judging it a second
// time: that cannot be taken back, and the more have it, the better.
func (n *Notary) again(q *request) *answer {
	leaves, a := n.gather(q)
	if a != nil {
		return a
	}
	if _, err := bundle.New(q.proposal.SignedRoot, leaves); err != nil {
		return refuse(refusedContent)
	}
	return n.signAnswer(q.proposal.SignedRoot, leaves)
}

// poll says what there is of an epoch.
func (n *Notary) poll(epoch uint64) *answer {
	if newest := n.cfg.Store.Highest(); newest != nil && newest.Epoch >= epoch {
		return &answer{kind: answerHave, have: *newest}
	}
	if n.pending != nil && n.pending.Epoch == epoch {
		return &answer{kind: answerTaken, taken: n.pending.proposal()}
	}
	return refuse(refusedNothing)
}

// known answers for a root that is no news: there is one of its epoch or a later
// one already. A finished root that contradicts ours is proof, and stops us.
func (n *Notary) known(root bundle.SignedRoot) *answer {
	newest := n.cfg.Store.Highest()
	if newest == nil || newest.Epoch < root.Epoch {
		return nil
	}
	if root.ID() != newest.ID() && errors.Is(n.cfg.Store.Saw(root), mirror.ErrForked) {
		return refuse(refusedForked)
	}
	return &answer{kind: answerHave, have: *newest}
}

// accept takes a root that enough others signed. Nothing of it is judged: it
// stands, whether this signer likes it or not.
func (n *Notary) accept(q *request, now time.Time) *answer {
	root := q.proposal.SignedRoot
	if directory.Future(n.cfg.World, root.Epoch, now) {
		return refuse(refusedEpoch)
	}
	leaves, a := n.gather(q)
	if a != nil {
		return a
	}
	b, err := bundle.New(root, leaves)
	if err != nil {
		return refuse(refusedContent)
	}
	if a := n.finish(b); a != nil {
		return a
	}
	return &answer{kind: answerHave, have: root}
}

// inTime refuses roots of another epoch, or made at another time, than now.
func (n *Notary) inTime(r bundle.Root, now time.Time) *answer {
	w := n.cfg.World
	ahead := now.Add(directory.Skew(w))
	if r.Epoch != w.Epoch(now) && r.Epoch != w.Epoch(ahead) {
		return refuse(refusedEpoch)
	}
	made := uint64(max(0, w.EpochStart(r.Epoch).UnixMilli()))
	if r.Time < made || r.Time >= made+w.Rules.EpochLenMS || r.Time > uint64(max(0, ahead.UnixMilli())) {
		return refuse(refusedTime)
	}
	return nil
}

// follows makes sure that a root follows the last one, and names a roster that
// is known. A proposer that knows a newer root than we do shows it to us.
func (n *Notary) follows(q *request, now time.Time) *answer {
	root := q.proposal.Root
	if q.previous != nil && q.previous.Epoch < root.Epoch {
		n.learn(*q.previous, now)
	}
	newest := n.cfg.Store.Highest()
	switch {
	case newest == nil && !root.Previous.IsZero():
		return refuse(refusedPrevious)
	case newest != nil && root.Previous != newest.ID():
		return &answer{kind: answerHave, have: *newest}
	case newest != nil && root.Generation < newest.Generation:
		return refuse(refusedRoster)
	case !n.cfg.Roster.Knows(root.Generation, root.Roster):
		return refuse(refusedRoster)
	}
	return nil
}

// learn takes a finished root whose bundle somebody else has to fetch.
func (n *Notary) learn(r bundle.SignedRoot, now time.Time) {
	if directory.Future(n.cfg.World, r.Epoch, now) || n.cfg.Store.Saw(r) != nil {
		return
	}
	if newest := n.cfg.Store.Highest(); newest != nil && newest.Epoch >= r.Epoch {
		return
	}
	if err := n.cfg.Store.Believe(r); err != nil {
		n.cfg.Log.Warn("a directory root is not remembered", "err", err)
		return
	}
	n.cfg.Behind()
}

// gather finds the leaves of a proposal: among what the set holds, the last
// bundle, and what came with the request.
func (n *Notary) gather(q *request) (*bundle.Leaves, *answer) {
	known := make(map[world.Hash][]byte, len(q.proposal.leaves))
	for _, leaf := range q.bodies {
		known[bundle.LeafHash(leaf)] = leaf
	}
	if len(known) < len(q.proposal.leaves) {
		for h, leaf := range n.held() {
			known[h] = leaf
		}
	}
	all := make([][]byte, 0, len(q.proposal.leaves))
	var want []uint32
	for i, h := range q.proposal.leaves {
		if leaf, ok := known[h]; ok {
			all = append(all, leaf)
		} else {
			want = append(want, uint32(i))
		}
	}
	if len(want) > 0 {
		return nil, &answer{kind: answerWant, want: want}
	}
	if !slices.IsSortedFunc(all, bytes.Compare) {
		return nil, refuse(refusedContent)
	}
	leaves, err := bundle.NewLeaves(all)
	if err != nil {
		return nil, refuse(refusedContent)
	}
	return leaves, nil
}

// held are the leaves this signer knows, by hash.
func (n *Notary) held() map[world.Hash][]byte {
	out := make(map[world.Hash][]byte)
	ds := n.cfg.Set.All()
	for i := range ds {
		leaf := bundle.Descriptor(ds[i].Canonical())
		out[bundle.LeafHash(leaf)] = leaf
	}
	for _, sheet := range n.cfg.Set.Snapshot().Sheets() {
		leaf := bundle.Sheet(sheet)
		out[bundle.LeafHash(leaf)] = leaf
	}
	if b := n.cfg.Store.Newest(); b != nil {
		for i, h := range b.Hashes() {
			out[h] = b.All()[i]
		}
	}
	return out
}

// judge compares a bundle with what this signer knows.
func (n *Notary) judge(root bundle.Root, leaves *bundle.Leaves, now time.Time) *answer {
	raw, sheets := leaves.Descriptors(), leaves.Sheets()
	if _, err := bundle.New(bundle.SignedRoot{Root: root}, leaves); err != nil {
		return refuse(refusedContent)
	}
	ds := make([]world.Descriptor, 0, len(raw))
	for _, b := range raw {
		d, err := decode(b)
		if err != nil {
			return refuse(refusedContent)
		}
		ds = append(ds, d)
	}
	n.cfg.Set.Add(ds, now) // so that contradictions between their set and ours are found
	n.cfg.Set.AddSheets(sheets, true, now)
	content := n.cfg.Set.ReadContent(root.Epoch, raw, sheets...)
	if content.LeftOut() > 0 {
		return refuse(refusedContent)
	}
	var lacking [][]byte
	since := now.Add(-grace(n.cfg.World))
	for _, b := range n.cfg.Set.Lacking(content, n.last(), since) {
		lacking = append(lacking, bundle.Descriptor(b))
	}
	for _, b := range n.cfg.Set.LackingSheets(content, n.last(), since) {
		lacking = append(lacking, bundle.Sheet(b))
	}
	if len(lacking) == 0 {
		return nil
	}
	a := &answer{kind: answerLacking}
	size := 0
	for _, leaf := range lacking {
		if size += len(leaf); size > maxLacking {
			break
		}
		a.lacking = append(a.lacking, leaf)
	}
	return a
}

// grace is how long a signer has held what it misses.
func grace(w *world.World) time.Duration { return min(max(w.EpochLen()/16, minGrace), maxGrace) }

// last is the content of the newest bundle here, nil for none.
func (n *Notary) last() *directory.Content {
	b := n.cfg.Store.Newest()
	if b == nil {
		return nil
	}
	if id := b.Root.ID(); n.before == nil || n.beforeR != id {
		n.before = directory.ReadContent(n.cfg.World, b.Root.Epoch, b.Descriptors(), n.before, b.Sheets()...)
		n.beforeR = id
	}
	return n.before
}

// sign puts this signer's name to a draft, for good, and keeps it as pending
// with all signatures that are known. If those are enough, it is finished.
func (n *Notary) sign(d *draft) error {
	sig, err := n.cfg.Memory.Sign(n.cfg.Key, d.Statement(), func() error { return nil })
	if err != nil {
		return err
	}
	if n.pending == nil || n.pending.ID() != d.ID() {
		n.pending = &draft{SignedRoot: bundle.SignedRoot{Root: d.Root}, leaves: d.leaves}
		n.status.Signed++
	}
	n.merge(append(slices.Clone(d.Signatures), sig))
	return nil
}

// merge adds verified signatures to the pending draft, and finishes it if they
// are enough.
func (n *Notary) merge(sigs []quorum.Signature) {
	signed := n.pending.Signed()
	signed.Signatures = slices.Clone(signed.Signatures)
	for _, sig := range sigs {
		signed.Add(sig)
	}
	n.pending.Signatures = signed.Signatures
	if len(signed.Signatures) < n.cfg.Quorum.Threshold {
		return
	}
	if b, err := bundle.New(n.pending.SignedRoot, n.pending.leaves); err == nil { // judged before it was signed
		n.finish(b)
	}
}

// finish keeps a root with enough signatures.
func (n *Notary) finish(b *bundle.Bundle) *answer {
	err := n.cfg.Store.Put(b)
	switch {
	case errors.Is(err, mirror.ErrForked):
		n.cfg.Log.Error("directory signers contradicted themselves", "err", n.cfg.Store.Forked())
		return refuse(refusedForked)
	case errors.Is(err, mirror.ErrLower):
		return refuse(refusedEpoch)
	case err != nil:
		n.cfg.Log.Warn("a directory bundle is not kept", "err", err)
		return refuse(refusedBroken)
	}
	n.status.Finished = time.Now()
	n.cfg.Log.Debug("directory root finished", "epoch", b.Root.Epoch, "leaves", b.Len(), "signatures", len(b.Root.Signatures))
	return nil
}

// pendingSignatures are those known for a root, none if another is pending.
func (n *Notary) pendingSignatures(id world.Hash) []quorum.Signature {
	if n.pending == nil || n.pending.ID() != id {
		return nil
	}
	return n.pending.Signatures
}
