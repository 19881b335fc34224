package roster

import (
	"context"
	"crypto/ed25519"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/culvert-net/culvert/internal/kv"
	"github.com/culvert-net/culvert/mesh/world"
	"github.com/culvert-net/culvert/mesh/world/postcard"
)

// Buckets of a Cosigner.
const (
	// bucketSigned has the hash of the entry that was signed, by parent. It is
	// never deleted: a parent of long ago must not be signed anew.
	bucketSigned = "roster-signed"

	// bucketOwn has the rotation that this node proposes, with its boxes, by
	// parent. One is kept.
	bucketOwn = "roster-own"
)

// Cosigner makes rotations and signs those of others, at most one for each
// parent, which it remembers durably before it answers.
type Cosigner struct {
	key    ed25519.PrivateKey
	roster *Roster
	store  kv.Store
}

// NewCosigner signs with key, a member's or a directory signer's or both, and
// remembers in store.
func NewCosigner(key ed25519.PrivateKey, r *Roster, store kv.Store) *Cosigner {
	return &Cosigner{key: key, roster: r, store: store}
}

// Rotate makes the rotation that follows the head, signed by this node, and its
// boxes. Until another entry follows it returns the same one, also after a
// restart: a signer that was asked for its signature will give none for another.
// Other signers' signatures are added with AddSignature; Chain.Extend takes it
// when there are enough.
func (c *Cosigner) Rotate(ctx context.Context, now time.Time) (Entry, Boxes, error) {
	fail := func(err error) (Entry, Boxes, error) {
		return Entry{}, Boxes{}, fmt.Errorf("rotating the group's master: %w", err)
	}
	if f, forked := c.roster.Forked(); forked {
		return fail(fmt.Errorf("%w: generation %d", ErrForked, f.Generation))
	}
	_, head := c.roster.Head()
	e, boxes, err := c.own(ctx, head)
	if err == nil {
		return e, boxes, nil
	}
	if !errors.Is(err, kv.ErrNotFound) {
		return fail(err)
	}
	if e, boxes, err = c.roster.rotation(c.key, now); err != nil {
		return fail(err)
	}
	err = c.store.Update(ctx, func(tx kv.Tx) error {
		if err := remember(tx, e); err != nil {
			return err
		}
		// Rotations of earlier parents came to be, or never will.
		var old [][]byte
		if err := tx.Scan(bucketOwn, nil, func(key, _ []byte) error {
			old = append(old, slices.Clone(key))
			return nil
		}); err != nil {
			return err
		}
		for _, key := range old {
			if err := tx.Delete(bucketOwn, key); err != nil {
				return err
			}
		}
		b := postcard.AppendBytes(nil, e.Canonical())
		return tx.Put(bucketOwn, e.Previous[:], postcard.AppendBytes(b, boxes.Canonical()))
	})
	if err != nil {
		return fail(err)
	}
	return e, boxes, nil
}

// rotation makes the rotation that follows the head.
func (r *Roster) rotation(key ed25519.PrivateKey, now time.Time) (Entry, Boxes, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.entry(key, nil, now)
}

// own is the rotation that this node proposed after a parent.
func (c *Cosigner) own(ctx context.Context, parent world.Hash) (e Entry, boxes Boxes, err error) {
	err = c.store.View(ctx, func(tx kv.Tx) error {
		b, err := tx.Get(bucketOwn, parent[:])
		if err != nil {
			return err
		}
		d := postcard.NewDecoder(b)
		entry, sealed := d.Bytes(), d.Bytes()
		if err := d.Finish(); err != nil {
			return fmt.Errorf("%w: %w", ErrDamaged, err)
		}
		if e, err = DecodeEntry(entry); err != nil {
			return err
		}
		boxes, err = DecodeBoxes(sealed)
		return err
	})
	return e, boxes, err
}

// Cosign signs a rotation that another member proposes, if it follows the head
// and this node has signed none but it.
func (c *Cosigner) Cosign(ctx context.Context, e Entry, now time.Time) (Signature, error) {
	if err := c.roster.checkRotation(publicKey(c.key), e, now); err != nil {
		return Signature{}, fmt.Errorf("signing the rotation of %s: %w", short(e.Proposer), err)
	}
	if err := c.store.Update(ctx, func(tx kv.Tx) error { return remember(tx, e) }); err != nil {
		return Signature{}, fmt.Errorf("signing the rotation of %s: %w", short(e.Proposer), err)
	}
	return withSignature(nil, c.key, e.SignedMessage())[0], nil
}

// remember notes that an entry is signed, unless another was for its parent.
func remember(tx kv.Tx, e Entry) error {
	name := e.Hash()
	was, err := tx.Get(bucketSigned, e.Previous[:])
	switch {
	case errors.Is(err, kv.ErrNotFound):
		return tx.Put(bucketSigned, e.Previous[:], name[:])
	case err != nil:
		return err
	case !slices.Equal(was, name[:]):
		return ErrSigned
	}
	return nil
}

// checkRotation says why a directory signer would not sign e, as it stands.
func (r *Roster) checkRotation(signer Key, e Entry, now time.Time) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case !slices.Contains(r.rules.terms.Signers, signer):
		return fmt.Errorf("%w: %s is no directory signer", ErrSignature, short(signer))
	case r.state.removed(signer):
		return fmt.Errorf("directory signer %s: %w", short(signer), ErrRemoved)
	}
	return r.checkProposal(&e, now)
}

// CheckProposal says why no directory signer would sign e, as it stands: it is no
// rotation that may follow the head, or its proposer has not signed it.
func (r *Roster) CheckProposal(e Entry, now time.Time) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.checkProposal(&e, now)
}

// checkProposal is CheckProposal with mu held.
func (r *Roster) checkProposal(e *Entry, now time.Time) error {
	switch {
	case !e.Rotation():
		return fmt.Errorf("%w: directory signers sign rotations only", ErrForm)
	case r.stuck():
		return ErrForked
	case e.Previous != r.head.hash:
		return fmt.Errorf("%w: the head is %s", ErrParent, r.head.hash.Short())
	case now.Add(MaxSkew).UnixMilli() < 0 || e.Time > uint64(now.Add(MaxSkew).UnixMilli()):
		return ErrFuture
	}
	if err := r.rules.checkForm(r.state, e); err != nil {
		return err
	}
	if err := r.rules.checkProposer(r.state, e); err != nil {
		return err
	}
	message := e.SignedMessage()
	for _, s := range e.Signatures {
		if s.Key == e.Proposer && r.rules.verify.signature(s.Key, message, s.Signature[:]) {
			return nil
		}
	}
	return fmt.Errorf("%w: that of the proposer", ErrSignature)
}

// AddSignature adds what a cosigner answered to the entry it was asked for.
func (r *Roster) AddSignature(e *Entry, s Signature) error {
	if !r.rules.verify.signature(s.Key, e.SignedMessage(), s.Signature[:]) {
		return fmt.Errorf("signature of %s under entry %s: %w", short(s.Key), e.Hash().Short(), ErrSignature)
	}
	if !slices.ContainsFunc(e.Signatures, func(o Signature) bool { return o.Key == s.Key }) {
		e.Signatures = append(slices.Clone(e.Signatures), s)
	}
	return nil
}

// Rank is a member's turn to propose the rotation that follows the head: 0
// first. Members that wait for their turn do not split the signers between
// several proposals. The order differs from rotation to rotation.
func (r *Roster) Rank(key Key) (int, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, is := r.state.members[key]; !is {
		return 0, false
	}
	turn := func(k Key) uint64 {
		h := hash(labelRank, r.head.hash[:], k[:])
		return binary.LittleEndian.Uint64(h[:])
	}
	rank, own := 0, turn(key)
	for k := range r.state.members {
		if turn(k) < own {
			rank++
		}
	}
	return rank, true
}
