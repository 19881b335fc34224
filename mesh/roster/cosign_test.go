package roster

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/culvert-net/culvert/internal/kv"
	"github.com/culvert-net/culvert/internal/kv/bolt"
)

// openStore opens a store, and closes it with the test.
func openStore(tb testing.TB, path string) kv.Store {
	tb.Helper()
	s, err := bolt.Open(path)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = s.Close() })
	return s
}

func tempStore(tb testing.TB) kv.Store {
	return openStore(tb, filepath.Join(tb.TempDir(), "roster.db"))
}

// faulty is a store whose transactions fail, before or after they are on the
// disk.
type faulty struct {
	kv.Store
	fail   bool
	stored bool
}

var errStore = errors.New("the store says no")

func (f *faulty) Update(ctx context.Context, do func(kv.Tx) error) error {
	if f.fail && !f.stored {
		return errStore
	}
	if err := f.Store.Update(ctx, do); err != nil || !f.fail {
		return err
	}
	return errStore
}

func TestRotationByQuorum(t *testing.T) {
	g := newGroup(t, spec{n: 3, m: 2, t: 2})
	var signers []*Cosigner
	for _, f := range g.founders {
		signers = append(signers, NewCosigner(f.key, g.roster, tempStore(t)))
	}
	_, _, err := signers[0].Rotate(t.Context(), g.now)
	wantError(t, err, ErrRotation)
	g.later(MasterLife)
	e, boxes, err := signers[0].Rotate(t.Context(), g.now)
	if err != nil {
		t.Fatal(err)
	}
	wantError(t, g.roster.Append(e, g.now), ErrSignature) // one of two
	s, err := signers[1].Cosign(t.Context(), DecodeMust(t, e), g.now)
	if err != nil {
		t.Fatal(err)
	}
	s, err = DecodeSignature(s.Canonical())
	if err != nil {
		t.Fatal(err)
	}

	// Another proposal gets no second signature from either of them.
	g.later(time.Second)
	other, _, err := signers[2].Rotate(t.Context(), g.now)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range signers[:2] {
		_, err := c.Cosign(t.Context(), other, g.now)
		wantError(t, err, ErrSigned)
	}
	if _, err := signers[1].Cosign(t.Context(), e, g.now); err != nil {
		t.Errorf("the same rotation again: %v", err)
	}
	_, _, err = signers[1].Rotate(t.Context(), g.now)
	wantError(t, err, ErrSigned)

	bad := s
	bad.Signature[3] ^= 1
	wantError(t, g.roster.AddSignature(&e, bad), ErrSignature)
	if err := g.roster.AddSignature(&e, s); err != nil {
		t.Fatal(err)
	}
	g.must(e, nil)
	if err := g.roster.CheckBoxes(boxes); err != nil {
		t.Error(err)
	}
	_, err = signers[2].Cosign(t.Context(), other, g.now)
	wantError(t, err, ErrParent) // it has been left behind
}

func TestCosignRefuses(t *testing.T) {
	g := newGroup(t, spec{n: 2, m: 1, t: 2})
	p := someone(20, "")
	g.add(p)
	g.later(MasterLife)
	signer := NewCosigner(g.founders[1].key, g.roster, tempStore(t))
	good := g.forge(p, nil, nil)
	unsigned := good
	unsigned.Signatures = nil
	for _, tt := range []struct {
		name string
		by   *Cosigner
		e    Entry
		want error
	}{
		{"a change", signer, g.forge(p, []Change{g.approved(Change{Kind: Add, Member: someone(21, "").Member}, g.founders[0])}, nil), ErrForm},
		{"by no signer", NewCosigner(p.key, g.roster, tempStore(t)), good, ErrSignature},
		{"without the proposer's signature", signer, unsigned, ErrSignature},
		{"by no member", signer, g.forge(someone(30, ""), nil, nil), ErrProposer},
		{"of the future", signer, g.forge(p, nil, func(e *Entry) { e.Time += 60_000 }), ErrFuture},
		{"after another parent", signer, g.forge(p, nil, func(e *Entry) { e.Previous = g.world.ID }), ErrParent},
		{"good", signer, good, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := tt.by.Cosign(t.Context(), tt.e, g.now)
			wantError(t, err, tt.want)
		})
	}
}

// A signer that is restarted, or whose store fails at any moment, never signs
// two entries for one parent; and a proposer goes on with the one it made.
func TestCosignerRemembers(t *testing.T) {
	g := newGroup(t, spec{n: 1, m: 1, t: 1})
	g.later(MasterLife)
	path := filepath.Join(t.TempDir(), "roster.db")
	store := openStore(t, path)
	e, boxes, err := NewCosigner(g.founders[0].key, g.roster, store).Rotate(t.Context(), g.now)
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	store = openStore(t, path)
	signer := NewCosigner(g.founders[0].key, g.roster, store)
	g.later(time.Hour)
	again, boxesAgain, err := signer.Rotate(t.Context(), g.now)
	if err != nil || again.Hash() != e.Hash() || boxesAgain.Signature != boxes.Signature {
		t.Errorf("after a restart another rotation is made: %v", err)
	}
	_, err = signer.Cosign(t.Context(), g.forge(g.founders[0], nil, nil), g.now)
	wantError(t, err, ErrSigned)
	g.must(e, nil)

	for _, stored := range []bool{false, true} {
		g.later(MasterLife)
		f := &faulty{Store: store, fail: true, stored: stored}
		_, _, err := NewCosigner(g.founders[0].key, g.roster, f).Rotate(t.Context(), g.now)
		wantError(t, err, errStore)
		first, _, err := signer.Rotate(t.Context(), g.now)
		if err != nil {
			t.Fatal(err)
		}
		_, err = NewCosigner(g.founders[0].key, g.roster, &faulty{Store: store, fail: true, stored: stored}).
			Cosign(t.Context(), first, g.now)
		wantError(t, err, errStore)
		g.must(first, nil)
	}
}

// Every member has a turn, and another one each time.
func TestRank(t *testing.T) {
	g := newGroup(t, spec{n: 3, m: 1, t: 2})
	firsts := make(map[Key]bool)
	for i := range 12 {
		turns := make(map[int]bool)
		for _, m := range g.roster.Members() {
			n, ok := g.roster.Rank(m.Key)
			turns[n] = ok
			if n == 0 {
				firsts[m.Key] = true
			}
		}
		for n := range g.roster.Members() {
			if !turns[n] {
				t.Errorf("nobody has turn %d", n)
			}
		}
		g.add(someone(20+i, ""))
	}
	if len(firsts) < 3 {
		t.Errorf("%d members were first in 12 rounds", len(firsts))
	}
	if _, ok := g.roster.Rank(someone(99, "").Key); ok {
		t.Error("a stranger has no turn")
	}
}
