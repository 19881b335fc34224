package ledger

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
)

// Leaf is one round in a transcript. Any of them can be opened later without
// the others.
type Leaf struct {
	RoundID      RoundID
	Seq          uint64
	RequestHash  Hash
	ResponseHash Hash
	Input        uint64
	Cached       uint64
	Output       uint64
	Cost         Amount
	Status       Status
}

// Hash is the leaf's hash in the log: SHA-256 over a zero byte, which no inner
// node begins with, and the fields.
//
// docs/spec/ledger.md §8.
func (l Leaf) Hash() Hash {
	w := writer{make([]byte, 0, 128)}
	w.b = append(w.b, leafPrefix)
	w.round(&l.RoundID)
	w.u64(&l.Seq)
	w.hash(&l.RequestHash)
	w.hash(&l.ResponseHash)
	w.u64(&l.Input)
	w.u64(&l.Cached)
	w.u64(&l.Output)
	w.amount(&l.Cost)
	w.status(&l.Status)
	return sha256.Sum256(w.b)
}

// RFC 6962 §2.1 keeps leaves and inner nodes apart by their first byte.
const (
	leafPrefix = 0
	nodePrefix = 1
)

func node(left, right Hash) Hash {
	var b [65]byte
	b[0] = nodePrefix
	copy(b[1:], left[:])
	copy(b[33:], right[:])
	return sha256.Sum256(b[:])
}

// Transcript is an RFC 6962 log of rounds that keeps what it needs to grow:
// the roots of its complete subtrees, one for each bit of its size. The zero
// value is the empty log.
type Transcript struct {
	size  uint64
	peaks []Hash // the largest subtree first
}

// Append adds a leaf.
func (t *Transcript) Append(leaf Leaf) { t.AppendHash(leaf.Hash()) }

// AppendHash adds a leaf of which the hash is known.
func (t *Transcript) AppendHash(h Hash) {
	// Each low bit that is set is a subtree as large as the one that h is by then.
	for n := t.size; n&1 == 1; n >>= 1 {
		last := len(t.peaks) - 1
		h = node(t.peaks[last], h)
		t.peaks = t.peaks[:last]
	}
	t.peaks = append(t.peaks, h)
	t.size++
}

// Size is the number of leaves.
func (t *Transcript) Size() uint64 { return t.size }

// Root commits to all leaves and their order.
func (t *Transcript) Root() Hash {
	if t.size == 0 {
		return sha256.Sum256(nil)
	}
	root := t.peaks[len(t.peaks)-1]
	for i := len(t.peaks) - 2; i >= 0; i-- {
		root = node(t.peaks[i], root)
	}
	return root
}

// Clone is a copy that grows by itself.
func (t *Transcript) Clone() *Transcript {
	return &Transcript{t.size, append([]Hash(nil), t.peaks...)}
}

// Bytes are what a store keeps: the size and the roots of the complete
// subtrees, at most 1,544 bytes.
func (t *Transcript) Bytes() []byte {
	b := binary.BigEndian.AppendUint64(nil, t.size)
	for i := range t.peaks {
		b = append(b, t.peaks[i][:]...)
	}
	return b
}

// DecodeTranscript reads what Bytes wrote, and nothing else. That its roots are
// those of real rounds nobody can see.
func DecodeTranscript(b []byte) (*Transcript, error) {
	r := reader{b: b}
	t := &Transcript{size: r.number(8)}
	if t.size > MaxRounds {
		r.fail("it has more rounds than can have been")
	}
	for range bits.OnesCount64(t.size) {
		var h Hash
		r.hash(&h)
		t.peaks = append(t.peaks, h)
	}
	if err := r.end(); err != nil {
		return nil, fmt.Errorf("transcript of %d bytes: %w", len(b), err)
	}
	return t, nil
}

// ErrProof says that a proof does not prove what it was shown for.
var ErrProof = errors.New("the proof does not hold")

// RootOf is the root over leaves' hashes.
func RootOf(leaves []Hash) Hash {
	var t Transcript
	for _, h := range leaves {
		t.AppendHash(h)
	}
	return t.Root()
}

// ProveInclusion makes the proof that leaves[index] is in the log of leaves: the
// hashes beside its way to the root, the lowest first. It panics on an index
// that is not below their number.
func ProveInclusion(leaves []Hash, index int) []Hash {
	if index < 0 || index >= len(leaves) {
		panic(fmt.Sprintf("ledger: no leaf %d of %d", index, len(leaves)))
	}
	if len(leaves) == 1 {
		return nil
	}
	k := split(len(leaves))
	if index < k {
		return append(ProveInclusion(leaves[:k], index), RootOf(leaves[k:]))
	}
	return append(ProveInclusion(leaves[k:], index-k), RootOf(leaves[:k]))
}

// VerifyInclusion reports whether proof shows that the leaf of that hash is the
// index-th, from zero, of a log of that size and root.
func VerifyInclusion(root Hash, size, index uint64, leaf Hash, proof []Hash) error {
	if index >= size {
		return ErrProof
	}
	// RFC 9162 §2.1.3.2: at is the node's place in its level, last that of the
	// level's last node.
	at, last, h := index, size-1, leaf
	for _, p := range proof {
		if last == 0 {
			return ErrProof
		}
		if at&1 == 1 || at == last {
			h = node(p, h)
			for at&1 == 0 && at != 0 { // a last node without a partner rises
				at, last = at>>1, last>>1
			}
		} else {
			h = node(h, p)
		}
		at, last = at>>1, last>>1
	}
	if last != 0 || h != root {
		return ErrProof
	}
	return nil
}

// ProveConsistency makes the proof that the log of leaves grew out of that of
// the first old of them. It is empty for none and for all. It panics if there
// are not as many.
func ProveConsistency(leaves []Hash, old int) []Hash {
	if old < 0 || old > len(leaves) {
		panic(fmt.Sprintf("ledger: no %d of %d leaves", old, len(leaves)))
	}
	if old == 0 {
		return nil
	}
	return consistency(leaves, old, true)
}

// consistency is SUBPROOF of RFC 6962 §2.1.2; known says that the verifier has
// the root of these leaves already, if they are all old.
func consistency(leaves []Hash, old int, known bool) []Hash {
	if old == len(leaves) {
		if known {
			return nil
		}
		return []Hash{RootOf(leaves)}
	}
	k := split(len(leaves))
	if old <= k {
		return append(consistency(leaves[:k], old, known), RootOf(leaves[k:]))
	}
	return append(consistency(leaves[k:], old-k, false), RootOf(leaves[:k]))
}

// VerifyConsistency reports whether proof shows that the log of the new size and
// root begins with that of the old size and root.
func VerifyConsistency(oldRoot, newRoot Hash, oldSize, newSize uint64, proof []Hash) error {
	switch {
	case oldSize > newSize:
		return ErrProof
	case oldSize == newSize:
		if len(proof) > 0 || oldRoot != newRoot {
			return ErrProof
		}
		return nil
	case oldSize == 0: // every log begins with the empty one
		if len(proof) > 0 || oldRoot != RootOf(nil) {
			return ErrProof
		}
		return nil
	}
	// RFC 9162 §2.1.4.2. The old log may be one complete subtree; its root is the
	// first hash then, and is not sent.
	if oldSize&(oldSize-1) == 0 {
		proof = append([]Hash{oldRoot}, proof...)
	}
	if len(proof) == 0 {
		return ErrProof
	}
	at, last := oldSize-1, newSize-1
	for at&1 == 1 {
		at, last = at>>1, last>>1
	}
	was, is := proof[0], proof[0]
	for _, p := range proof[1:] {
		if last == 0 {
			return ErrProof
		}
		if at&1 == 1 || at == last {
			was, is = node(p, was), node(p, is)
			for at&1 == 0 && at != 0 {
				at, last = at>>1, last>>1
			}
		} else {
			is = node(is, p)
		}
		at, last = at>>1, last>>1
	}
	if last != 0 || was != oldRoot || is != newRoot {
		return ErrProof
	}
	return nil
}

// split is the largest power of two below n, for n of at least two.
func split(n int) int { return 1 << (bits.Len(uint(n-1)) - 1) }
