package quorum

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"github.com/culvert-net/culvert/mesh/world"
	"github.com/culvert-net/culvert/mesh/world/postcard"
)

// Quorum is who signs for a world, and how many of them it takes. More than
// half: so that two quorums share a signer, and two statements of one slot need
// one that lies.
type Quorum struct {
	Signers   [][32]byte // distinct
	Threshold int
}

// Of is who signs for a world, by its charter or by its founder's key.
func Of(w *world.World) Quorum {
	terms := w.Terms()
	return Quorum{Signers: terms.Signers, Threshold: int(terms.DirectoryThreshold)}
}

// Has reports whether key is one of the signers.
func (q Quorum) Has(key [32]byte) bool { return slices.Contains(q.Signers, key) }

// Check refuses what cannot be a world's quorum.
func (q Quorum) Check() error {
	n := len(q.Signers)
	switch {
	case n == 0:
		return errors.New("the world file names no directory signers, neither by a charter nor by a founder, so nobody can say who is in the world")
	case n > MaxSigners:
		return fmt.Errorf("%d directory signers, at most %d are allowed", n, MaxSigners)
	case q.Threshold > n || 2*q.Threshold <= n:
		return fmt.Errorf("%d of %d directory signers: it takes more than half of them, so that two quorums share one", q.Threshold, n)
	}
	for i, key := range q.Signers {
		if slices.Contains(q.Signers[:i], key) {
			return errors.New("a directory signer is listed twice")
		}
	}
	return nil
}

// Why a signed statement is not believed. They are wrapped with the numbers.
var (
	ErrWorld         = errors.New("statement of another world")
	ErrUnknownSigner = errors.New("signed by a key that is no directory signer of this world")
	ErrSignature     = errors.New("a signature does not verify")
	ErrTooFew        = errors.New("too few signatures")
)

// Signed is a statement with the signatures there are so far, sorted by signer.
type Signed struct {
	Statement
	Signatures []Signature
}

// Verify checks that s is of the world and that enough signers signed it. One
// bad signature condemns the whole: who adds one has something to hide.
func (s *Signed) Verify(id world.Hash, q Quorum) error {
	if err := s.VerifySome(id, q); err != nil {
		return err
	}
	if len(s.Signatures) < q.Threshold {
		return fmt.Errorf("%w: %d of the %d it takes", ErrTooFew, len(s.Signatures), q.Threshold)
	}
	return nil
}

// VerifySome is Verify for a statement that is still on its way around: any
// number of signatures will do, none included. Those among known, which are of
// the same statement, were verified before.
func (s *Signed) VerifySome(id world.Hash, q Quorum, known ...Signature) error {
	if s.World != id {
		return ErrWorld
	}
	for _, sig := range s.Signatures {
		if !q.Has(sig.Signer) {
			return ErrUnknownSigner
		}
	}
	for _, sig := range s.Signatures {
		if !slices.Contains(known, sig) && !s.signedBy(sig) {
			return ErrSignature
		}
	}
	return nil
}

// Add puts in a signature over the same statement, unless that signer's is there.
func (s *Signed) Add(sig Signature) {
	i, found := slices.BinarySearchFunc(s.Signatures, sig, bySigner)
	if !found {
		s.Signatures = slices.Insert(s.Signatures, i, sig)
	}
}

// Clone is a copy that shares nothing.
func (s *Signed) Clone() Signed {
	return Signed{Statement: s.Statement, Signatures: slices.Clone(s.Signatures)}
}

func bySigner(a, b Signature) int { return bytes.Compare(a.Signer[:], b.Signer[:]) }

// Canonical are the canonical bytes of statement and signatures.
func (s *Signed) Canonical() []byte { return s.append(nil) }

func (s *Signed) append(b []byte) []byte {
	return AppendSignatures(s.Statement.append(b), s.Signatures)
}

// AppendSignatures writes signatures, sorted by signer, for messages that have
// the statement in another form.
func AppendSignatures(b []byte, sigs []Signature) []byte {
	b = postcard.AppendUint(b, uint64(len(sigs)))
	for _, sig := range sigs {
		b = postcard.AppendArray(b, sig.Signer[:])
		b = postcard.AppendArray(b, sig.Bytes[:])
	}
	return b
}

// errSigners is for what no set of signatures is.
var errSigners = errors.New("more signatures than a world has signers")

// ReadSignatures reads what AppendSignatures writes: sorted by signer, without
// doubles, and not verified.
func ReadSignatures(d *postcard.Decoder) (sigs []Signature) {
	n := d.Count(len(Signature{}.Signer) + len(Signature{}.Bytes))
	if n > MaxSigners {
		d.Fail(errSigners)
		return nil
	}
	for i := range n {
		var sig Signature
		d.Array(sig.Signer[:])
		d.Array(sig.Bytes[:])
		if i > 0 && bySigner(sigs[i-1], sig) >= 0 {
			d.Fail(postcard.ErrOrder)
			return nil
		}
		sigs = append(sigs, sig)
	}
	return sigs
}

// ReadSigned reads what Canonical writes, as a part of something else.
func ReadSigned(d *postcard.Decoder) Signed {
	return Signed{Statement: readStatement(d), Signatures: ReadSignatures(d)}
}

// DecodeSigned reads what Canonical writes and nothing else.
func DecodeSigned(b []byte) (Signed, error) {
	d := postcard.NewDecoder(b)
	s := ReadSigned(d)
	if err := d.Finish(); err != nil {
		return Signed{}, fmt.Errorf("decoding a signed statement: %w", err)
	}
	return s, nil
}

// Contradiction is proof that signers said two things about one slot.
type Contradiction struct{ First, Second Signed }

// ErrNoContradiction is wrapped by errors about two statements that may stand
// side by side.
var ErrNoContradiction = errors.New("no contradiction")

// NewContradiction puts two statements in the order of a proof. It verifies
// nothing.
func NewContradiction(a, b Signed) Contradiction {
	if bytes.Compare(a.Content[:], b.Content[:]) > 0 {
		a, b = b, a
	}
	return Contradiction{First: a, Second: b}
}

// Verify checks that both statements are of this world, for one slot, different,
// and signed by t signers each. It returns who signed both, sorted: as two
// quorums share a signer, there is always one.
func (c *Contradiction) Verify(id world.Hash, q Quorum) (liars [][32]byte, err error) {
	if c.First.Slot != c.Second.Slot || c.First.Content == c.Second.Content {
		return nil, fmt.Errorf("%w: two slots, or one content", ErrNoContradiction)
	}
	for _, s := range []*Signed{&c.First, &c.Second} {
		if err := s.Verify(id, q); err != nil {
			return nil, err
		}
	}
	for _, sig := range c.First.Signatures {
		if _, found := slices.BinarySearchFunc(c.Second.Signatures, sig, bySigner); found {
			liars = append(liars, sig.Signer)
		}
	}
	return liars, nil
}

// Canonical are the proof's canonical bytes.
func (c *Contradiction) Canonical() []byte { return c.Second.append(c.First.append(nil)) }

// ReadContradiction reads what Canonical writes, as a part of something else.
func ReadContradiction(d *postcard.Decoder) Contradiction {
	c := Contradiction{First: ReadSigned(d), Second: ReadSigned(d)}
	if d.Err() == nil && bytes.Compare(c.First.Content[:], c.Second.Content[:]) > 0 {
		d.Fail(postcard.ErrOrder)
	}
	return c
}

// DecodeContradiction reads what Canonical writes and nothing else.
func DecodeContradiction(b []byte) (Contradiction, error) {
	d := postcard.NewDecoder(b)
	c := ReadContradiction(d)
	if err := d.Finish(); err != nil {
		return Contradiction{}, fmt.Errorf("decoding a contradiction: %w", err)
	}
	return c, nil
}
