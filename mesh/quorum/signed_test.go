package quorum_test

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"github.com/culvert-net/culvert/mesh/quorum"
	"github.com/culvert-net/culvert/mesh/world"
)

func TestVerify(t *testing.T) {
	good := sign(t, quorum.RootOf(7), hash("a"), 1, 3)
	change := func(f func(*quorum.Signed)) quorum.Signed {
		s := good.Clone()
		f(&s)
		return s
	}
	for _, c := range []struct {
		name string
		s    quorum.Signed
		want error
	}{
		{"two of three", good, nil},
		{"three of three", sign(t, quorum.RootOf(7), hash("a"), 1, 2, 3), nil},
		{"none", sign(t, quorum.RootOf(7), hash("a")), quorum.ErrTooFew},
		{"one", sign(t, quorum.RootOf(7), hash("a"), 2), quorum.ErrTooFew},
		{"one of them a stranger", sign(t, quorum.RootOf(7), hash("a"), 1, 9), quorum.ErrUnknownSigner},
		{"a stranger too many", sign(t, quorum.RootOf(7), hash("a"), 1, 2, 9), quorum.ErrUnknownSigner},
		{"of another world", change(func(s *quorum.Signed) { s.World = hash("other") }), quorum.ErrWorld},
		{"for another epoch", change(func(s *quorum.Signed) { s.Slot.Number++ }), quorum.ErrSignature},
		{"of another kind", change(func(s *quorum.Signed) { s.Slot.Kind = quorum.Seal }), quorum.ErrSignature},
		{"of other content", change(func(s *quorum.Signed) { s.Content[0] ^= 1 }), quorum.ErrSignature},
		{"a bit flipped", change(func(s *quorum.Signed) { s.Signatures[1].Bytes[9] ^= 1 }), quorum.ErrSignature},
		{"one's signature under two names", change(func(s *quorum.Signed) {
			s.Signatures[1] = quorum.Signature{Signer: public(2), Bytes: s.Signatures[0].Bytes}
		}), quorum.ErrSignature},
	} {
		if err := c.s.Verify(testWorld(), twoOfThree()); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
	some := sign(t, quorum.RootOf(7), hash("a"), 2)
	if err := some.VerifySome(testWorld(), twoOfThree()); err != nil {
		t.Errorf("one good signature on its way: %v", err)
	}
}

func TestAddKeepsOrder(t *testing.T) {
	var s quorum.Signed
	for _, n := range []byte{3, 1, 2, 1, 3} {
		s.Add(quorum.Signature{Signer: public(n)})
	}
	sorted := slices.IsSortedFunc(s.Signatures, func(a, b quorum.Signature) int { return bytes.Compare(a.Signer[:], b.Signer[:]) })
	if len(s.Signatures) != 3 || !sorted {
		t.Errorf("%d signatures, sorted: %v", len(s.Signatures), sorted)
	}
}

func TestQuorumCheck(t *testing.T) {
	keys := func(n byte) (all [][32]byte) {
		for i := range n {
			all = append(all, public(i))
		}
		return all
	}
	for _, c := range []struct {
		q    quorum.Quorum
		want bool
	}{
		{quorum.Quorum{Signers: keys(1), Threshold: 1}, true},
		{quorum.Quorum{Signers: keys(3), Threshold: 2}, true},
		{quorum.Quorum{Signers: keys(4), Threshold: 3}, true},
		{quorum.Quorum{Signers: keys(16), Threshold: 9}, true},
		{quorum.Quorum{Threshold: 1}, false},
		{quorum.Quorum{Signers: keys(4), Threshold: 2}, false}, // two quorums without a common signer
		{quorum.Quorum{Signers: keys(3), Threshold: 4}, false},
		{quorum.Quorum{Signers: keys(3), Threshold: 0}, false},
		{quorum.Quorum{Signers: keys(17), Threshold: 9}, false},
		{quorum.Quorum{Signers: append(keys(2), public(1)), Threshold: 2}, false},
	} {
		if err := c.q.Check(); (err == nil) != c.want {
			t.Errorf("%d of %d: %v", c.q.Threshold, len(c.q.Signers), err)
		}
	}
}

func TestOf(t *testing.T) {
	w, err := world.New(world.World{Phrase: "quorum", Rules: world.DefaultRules(), Founder: public(1)})
	if err != nil {
		t.Fatal(err)
	}
	if q := quorum.Of(w); q.Check() != nil || q.Threshold != 1 || !q.Has(public(1)) || q.Has(public(2)) {
		t.Errorf("by a founder: %+v, %v", q, q.Check())
	}
	if w, err = world.New(world.World{Phrase: "quorum", Rules: world.DefaultRules()}); err != nil {
		t.Fatal(err)
	}
	if err := quorum.Of(w).Check(); err == nil {
		t.Error("a world of nobody has signers")
	}
}

func TestContradiction(t *testing.T) {
	a := sign(t, quorum.RootOf(7), hash("a"), 1, 2)
	b := sign(t, quorum.RootOf(7), hash("b"), 2, 3)
	for _, c := range []quorum.Contradiction{quorum.NewContradiction(a, b), quorum.NewContradiction(b, a)} {
		liars, err := c.Verify(testWorld(), twoOfThree())
		if err != nil || len(liars) != 1 || liars[0] != public(2) {
			t.Errorf("liars %x, %v, want the one who signed both", liars, err)
		}
		back, err := quorum.DecodeContradiction(c.Canonical())
		if err != nil || !bytes.Equal(back.Canonical(), c.Canonical()) {
			t.Errorf("decoded: %v", err)
		}
	}
	for _, c := range []struct {
		name string
		a, b quorum.Signed
		want error
	}{
		{"the same", a, a, quorum.ErrNoContradiction},
		{"two epochs", a, sign(t, quorum.RootOf(8), hash("b"), 2, 3), quorum.ErrNoContradiction},
		{"two kinds", a, sign(t, quorum.SealOf(7), hash("b"), 2, 3), quorum.ErrNoContradiction},
		{"too few", a, sign(t, quorum.RootOf(7), hash("b"), 2), quorum.ErrTooFew},
	} {
		proof := quorum.NewContradiction(c.a, c.b)
		if _, err := proof.Verify(testWorld(), twoOfThree()); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
	swapped := quorum.Contradiction{First: quorum.NewContradiction(a, b).Second, Second: quorum.NewContradiction(a, b).First}
	if _, err := quorum.DecodeContradiction(swapped.Canonical()); err == nil {
		t.Error("a proof has two forms")
	}
}

// Statements of the two kinds about the same are signed differently, and no
// domain is the beginning of another.
func TestDomains(t *testing.T) {
	seen := make(map[[64]byte]bool)
	for _, slot := range []quorum.Slot{quorum.RootOf(1), quorum.SealOf(1)} {
		s := sign(t, slot, hash("a"), 1)
		seen[s.Signatures[0].Bytes] = true
	}
	if len(seen) != 2 {
		t.Errorf("%d different signatures of two", len(seen))
	}
}

func FuzzSigned(f *testing.F) {
	for _, s := range []quorum.Signed{
		sign(f, quorum.RootOf(7), hash("a"), 1, 2), sign(f, quorum.SealOf(7), hash("a"), 3), {},
	} {
		f.Add(s.Canonical())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := quorum.DecodeSigned(b)
		if err == nil && !bytes.Equal(s.Canonical(), b) {
			t.Errorf("%x decodes and encodes to something else", b)
		}
	})
}

func FuzzContradiction(f *testing.F) {
	c := quorum.NewContradiction(sign(f, quorum.RootOf(7), hash("a"), 1, 2), sign(f, quorum.RootOf(7), hash("b"), 2, 3))
	f.Add(c.Canonical())
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := quorum.DecodeContradiction(b)
		if err == nil && !bytes.Equal(c.Canonical(), b) {
			t.Errorf("%x decodes and encodes to something else", b)
		}
	})
}
