package seal_test

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/culvert-net/culvert/mesh/quorum"
	"github.com/culvert-net/culvert/mesh/seal"
	"github.com/culvert-net/culvert/mesh/world"
)

// sealedAs checks that all of these nodes, and no signed seal anywhere else, close
// an epoch with just these events.
func sealedAs(t *testing.T, epoch uint64, want []world.Hash, nodes ...*node) {
	t.Helper()
	for _, x := range nodes {
		got := x.log.in(epoch)
		if got == nil || !slices.Equal(got, sorted(slices.Clone(want))) {
			t.Errorf("signer %d: the seal of epoch %d names %d events, want %d", x.n, epoch, len(got), len(want))
		}
		if s, ok := x.book.Sealed(epoch); ok {
			if first, _ := nodes[0].book.Sealed(epoch); first.Body != s.Body {
				t.Errorf("signers %d and %d have different seals of epoch %d", nodes[0].n, x.n, epoch)
			}
		}
		if p := x.book.Status().Proofs; p != 0 {
			t.Errorf("signer %d: %d contradictions", x.n, p)
		}
	}
}

func someIDs(label string, n int) []world.Hash {
	out := make([]world.Hash, n)
	for i := range out {
		out[i] = hash("%s %d", label, i)
	}
	return out
}

// later is when an epoch is sealed for sure, if all is well.
func later(w *world.World, epoch uint64) {
	time.Sleep(time.Until(w.EpochStart(epoch + 1).Add(seal.Grace(w) + 20*time.Second)))
}

// Events are spread over three signers; one seal names them all. What comes later
// is outside for everybody, also for who had it before it had the seal.
func TestSealed(t *testing.T) {
	signers(t, 3, func(w *world.World, net *network, epoch uint64) {
		ids := someIDs("event", 30)
		for i, id := range ids {
			net.all[i%3].log.add(epoch, id)
		}
		later(w, epoch)
		net.gossip()
		sealedAs(t, epoch, ids, net.all...)
		late := someIDs("late", 5)
		net.all[1].log.add(epoch, late...)
		net.gossip()
		sealedAs(t, epoch, ids, net.all...)

		// A member that was away gets everything at once, the late ones among it.
		away := &node{n: 9, log: newLog(), net: net}
		var err error
		away.book, err = seal.NewBook(w, away.log, newProofs())
		try(t, err)
		try(t, away.sync(net.all[0]))
		if n, err := away.book.Retry(); err != nil || n > 1 {
			t.Fatalf("Retry = %d, %v", n, err)
		}
		sealedAs(t, epoch, ids, append(slices.Clone(net.all), away)...)
		if got, _ := away.log.Outside(epoch, 10); !slices.Equal(got, sorted(late)) {
			t.Errorf("%d events are outside for who was away, want the %d late ones", len(got), len(late))
		}
		// The next epoch is empty, and closed as well.
		later(w, epoch+1)
		net.gossip()
		sealedAs(t, epoch+1, nil, net.all...)
	})
}

func TestOneSigner(t *testing.T) {
	signers(t, 1, func(w *world.World, net *network, epoch uint64) {
		ids := someIDs("event", 3)
		net.all[0].log.add(epoch, ids...)
		later(w, epoch)
		sealedAs(t, epoch, ids, net.all...)
	})
}

// With one signer down the turn passes on.
func TestSignerDown(t *testing.T) {
	for down := byte(1); down <= 3; down++ {
		signers(t, 3, func(w *world.World, net *network, epoch uint64) {
			net.cut(func(a, b byte) bool { return a == down || b == down })
			ids := someIDs("event", 4)
			var up []*node
			for _, x := range net.all {
				if x.n != down {
					x.log.add(epoch, ids[len(up)])
					up = append(up, x)
				}
			}
			later(w, epoch)
			net.gossip()
			sealedAs(t, epoch, ids[:2], up...)
			// Back again it gets the seal; what it held alone came too late.
			net.find(public(down)).log.add(epoch, ids[3])
			net.cut(nil)
			net.gossip()
			net.gossip()
			sealedAs(t, epoch, ids[:2], net.all...)
		})
	}
}

// A signer that takes questions and never answers, as one whose machine is cut off
// seems to, uses up nobody's turn.
func TestSignerSilent(t *testing.T) {
	for silent := byte(1); silent <= 3; silent++ {
		signers(t, 3, func(w *world.World, net *network, epoch uint64) {
			net.mu.Lock()
			net.silent = silent
			net.mu.Unlock()
			net.cut(func(a, b byte) bool { return a == silent || b == silent })
			ids := someIDs("event", 2)
			var up []*node
			for _, x := range net.all {
				if x.n != silent {
					x.log.add(epoch, ids[len(up)])
					up = append(up, x)
				}
			}
			later(w, epoch)
			net.gossip()
			sealedAs(t, epoch, ids, up...)
		})
	}
}

// After hours without a quorum all epochs that are not given up are sealed within
// one, though they were asked about ever more rarely.
func TestHealedAfterLong(t *testing.T) {
	signers(t, 3, func(w *world.World, net *network, epoch uint64) {
		net.cut(func(_, _ byte) bool { return true })
		const epochs = 20
		for e := range uint64(epochs) {
			for i, x := range net.all {
				x.log.add(epoch+e, hash("event %d of %d", e, i))
			}
			time.Sleep(w.EpochLen())
		}
		later(w, epoch+epochs-1)
		time.Sleep(300 * time.Millisecond) // between turns: who begins one reaches nobody or both
		net.cut(nil)
		time.Sleep(w.EpochLen())
		net.gossip()
		for e := range uint64(epochs) {
			want := []world.Hash{hash("event %d of 0", e), hash("event %d of 1", e), hash("event %d of 2", e)}
			sealedAs(t, epoch+e, want, net.all...)
		}
	})
}

// A signer that names events and gives them to nobody, in its own drafts and
// against those of others, does not keep the others from sealing.
func TestSignerWithholds(t *testing.T) {
	for bad := range 3 {
		signers(t, 3, func(w *world.World, net *network, epoch uint64) {
			ids := someIDs("event", 6)
			for i, id := range ids {
				net.all[i%3].log.add(epoch, id)
			}
			hidden := someIDs("hidden", 3)
			liar := net.all[bad]
			liar.withholds(hidden...)
			liar.log.add(epoch, hidden...)
			later(w, epoch)
			var honest []*node
			for i, x := range net.all {
				if i != bad {
					honest = append(honest, x)
				}
			}
			sealedAs(t, epoch, ids, honest...)
		})
	}
}

// A signer that shows two drafts to two others, and signs both, cannot get two seals
// out of honest ones: those sign what they hold, and once.
func TestSignerLies(t *testing.T) {
	signers(t, 3, func(w *world.World, net *network, epoch uint64) {
		ids := someIDs("event", 6)
		for i, id := range ids {
			net.all[i%3].log.add(epoch, id)
		}
		liar := net.all[0]
		net.mu.Lock()
		liar.lie = func(_ byte, r seal.Request) (seal.Answer, bool) { // it signs everything
			s := seal.Of(w.ID, r.Epoch, r.IDs).Statement()
			if !r.Sign {
				return seal.Answer{Kind: seal.Agreed}, true
			}
			sig, err := quorum.NewMemory(w.ID).Sign(key(1), s, func() error { return nil })
			return seal.Answer{Kind: seal.Signed, Signature: sig}, err == nil
		}
		net.mu.Unlock()
		time.Sleep(time.Until(w.EpochStart(epoch + 1).Add(seal.Grace(w) - time.Second)))
		for i, part := range [][]world.Hash{ids[:3], ids[3:]} {
			for _, sign := range []bool{false, true} {
				a, err := net.all[i+1].signer.Answer(context.Background(), public(1), seal.Request{Sign: sign, Epoch: epoch, IDs: sorted(slices.Clone(part))})
				if err != nil || a.Kind != seal.Differs || len(a.Missing) != 3 {
					t.Errorf("a draft without half of the events was answered with %d, %d missing, %v", a.Kind, len(a.Missing), err)
				}
			}
		}
		later(w, epoch)
		net.gossip()
		sealedAs(t, epoch, ids, net.all[1:]...)
	})
}

// On neither side of a partition without a quorum anything is sealed; the side with
// one seals, and the other takes that over.
func TestPartition(t *testing.T) {
	signers(t, 5, func(w *world.World, net *network, epoch uint64) {
		net.cut(func(a, b byte) bool { return (a <= 2) != (b <= 2) })
		small, large := someIDs("small", 4), someIDs("large", 4)
		net.all[0].log.add(epoch, small...)
		net.all[3].log.add(epoch, large...)
		later(w, epoch)
		net.gossip()
		sealedAs(t, epoch, large, net.all[2:]...)
		if got := net.all[0].log.in(epoch); got != nil {
			t.Errorf("two of five sealed %d events", len(got))
		}
		net.cut(func(a, b byte) bool { return a <= 2 || b <= 2 || a == 5 || b == 5 }) // no quorum anywhere
		later(w, epoch+1)
		for _, x := range net.all {
			if got := x.log.in(epoch + 1); got != nil {
				t.Errorf("signer %d sealed without a quorum", x.n)
			}
		}
		net.cut(nil)
		later(w, epoch+2)
		net.gossip()
		net.gossip()
		sealedAs(t, epoch, large, net.all...)
		sealedAs(t, epoch+1, nil, net.all...)
	})
}

// An author that said more than it may is known by different events in different
// logs, for ever. The seal names those that t signers have, and all of everybody
// else's.
func TestFullAuthor(t *testing.T) {
	signers(t, 3, func(w *world.World, net *network, epoch uint64) {
		ids := someIDs("event", 3)
		both := someIDs("both", 2)
		for i, x := range net.all {
			own := append(someIDs(string(rune('a'+i)), 3), both...)
			x.log.mu.Lock()
			for _, id := range own {
				x.log.full[id] = true
			}
			x.log.mu.Unlock()
			x.log.add(epoch, own...)
			x.log.add(epoch, ids[i])
		}
		later(w, epoch)
		sealed := 0
		for _, x := range net.all {
			got := x.log.in(epoch)
			if got == nil {
				continue
			}
			sealed++
			if !slices.Equal(got, sorted(append(slices.Clone(ids), both...))) {
				t.Errorf("signer %d: the seal names %d events, want what all have", x.n, len(got))
			}
		}
		if sealed == 0 {
			t.Error("nobody sealed the epoch")
		}
	})
}

// Signers that insist on different events for reasons nobody knows stop insisting
// after some laps, on a few events.
func TestPatienceEnds(t *testing.T) {
	signers(t, 3, func(w *world.World, net *network, epoch uint64) {
		ids := someIDs("event", 12)
		for i, x := range net.all {
			own := hash("own %d", i)
			x.withholds(own)
			x.log.add(epoch, own)
			x.log.add(epoch, ids...)
		}
		later(w, epoch)
		for _, x := range net.all {
			if got := x.log.in(epoch); got != nil {
				t.Errorf("signer %d gave up its event at once", x.n)
			}
		}
		time.Sleep(2 * time.Minute)
		sealed := 0
		for _, x := range net.all {
			if got := x.log.in(epoch); got != nil {
				sealed++
				if !slices.Equal(got, sorted(slices.Clone(ids))) {
					t.Errorf("signer %d: the seal names %d events, want the %d that all have", x.n, len(got), len(ids))
				}
			}
		}
		if sealed == 0 {
			t.Error("nobody sealed the epoch")
		}
	})
}

// What a signer has signed it stands by: another one finishes that, also when the
// proposer is gone.
func TestProposerGone(t *testing.T) {
	signers(t, 3, func(w *world.World, net *network, epoch uint64) {
		ids := someIDs("event", 3)
		for _, x := range net.all {
			x.log.add(epoch, ids...)
		}
		net.cut(func(_, _ byte) bool { return true })
		time.Sleep(time.Until(w.EpochStart(epoch + 1).Add(seal.Grace(w) - time.Second)))
		a, err := net.all[1].signer.Answer(context.Background(), public(1), seal.Request{Sign: true, Epoch: epoch, IDs: sorted(slices.Clone(ids))})
		if err != nil || a.Kind != seal.Signed {
			t.Fatalf("Answer = %d, %v", a.Kind, err)
		}
		// A late event makes what others would propose another draft.
		net.all[2].log.add(epoch, hash("late"))
		net.cut(func(a, b byte) bool { return a == 1 || b == 1 })
		later(w, epoch)
		net.gossip()
		sealedAs(t, epoch, ids, net.all[1:]...)
	})
}

// How many questions signers ask about an epoch until they give it up: an epoch of
// which nothing changes is asked about ever more rarely, and all that can be sealed
// is, as soon as what stopped it is over.
func TestQuestions(t *testing.T) {
	alone := func(a, b byte) bool { return true }
	for _, x := range []struct {
		name  string
		apart func(a, b byte) bool
		split bool
		most  int // questions about the epoch
	}{
		{"all is well", nil, false, 12},
		{"nobody reaches anybody", alone, false, 100},
		{"votes are split", nil, true, 100},
	} {
		t.Run(x.name, func(t *testing.T) {
			signers(t, 3, func(w *world.World, net *network, epoch uint64) {
				net.cut(alone)
				ids := someIDs("event", 3)
				for i, x := range net.all {
					x.log.add(epoch, ids[i])
				}
				time.Sleep(time.Until(w.EpochStart(epoch + 1).Add(seal.Grace(w) - time.Second)))
				for i, from := range []byte{2, 3, 1} {
					if !x.split {
						break
					}
					a, err := net.all[i].signer.Answer(context.Background(), public(from), seal.Request{Sign: true, Epoch: epoch, IDs: ids[i : i+1]})
					if err != nil || a.Kind != seal.Signed {
						t.Fatalf("Answer = %d, %v", a.Kind, err)
					}
				}
				net.cut(x.apart)
				time.Sleep(30 * w.EpochLen())
				n := net.asked(epoch)
				t.Logf("%d questions about the epoch", n)
				if n > x.most {
					t.Errorf("%d questions about an epoch, want at most %d", n, x.most)
				}
			})
		})
	}
}

// A book takes nothing that t signers did not sign, and keeps proof of two seals.
func TestBook(t *testing.T) {
	w := testWorld(t, 3)
	sign := func(b seal.Body, by ...byte) seal.Seal {
		signed := quorum.Signed{Statement: b.Statement()}
		for _, n := range by {
			sig, err := quorum.NewMemory(b.World).Sign(key(n), signed.Statement, func() error { return nil })
			try(t, err)
			signed.Add(sig)
		}
		return seal.Seal{Body: b, Signatures: signed.Signatures}
	}
	log := newLog()
	proofs := newProofs()
	book, err := seal.NewBook(w, log, proofs)
	try(t, err)
	ids := sorted(someIDs("event", 4))
	good := sign(seal.Of(w.ID, 7, ids), 1, 2)
	for name, s := range map[string]seal.Seal{
		"one signature": sign(good.Body, 1), "a stranger": sign(good.Body, 1, 9),
		"another world": sign(seal.Of(hash("other"), 7, ids), 1, 2),
	} {
		if err := book.Learn(s, nil); !errors.Is(err, seal.ErrSeal) {
			t.Errorf("%s: Learn = %v, want ErrSeal", name, err)
		}
	}
	forged := good
	forged.Count++
	if err := book.Learn(forged, nil); !errors.Is(err, seal.ErrSeal) {
		t.Errorf("other figures: Learn = %v, want ErrSeal", err)
	}
	before := book.Digest()
	try(t, book.Learn(good, nil))
	if _, ok := book.Sealed(7); ok || book.Status().Pending != 1 || book.Digest() == before {
		t.Errorf("a seal without its events: %+v", book.Status())
	}
	log.add(7, ids...)
	log.add(7, hash("late"))
	if n, err := book.Retry(); n != 0 || err != nil {
		t.Errorf("with one event too many: %d closed, %v", n, err)
	}
	waits := book.Digest()
	try(t, book.Learn(good, []world.Hash{hash("late")}))
	if _, ok := book.Sealed(7); !ok || book.Digest() == waits {
		t.Error("with the late event named the epoch is not closed")
	}
	try(t, book.Learn(sign(good.Body, 2, 3), nil)) // the same, signed by others
	second := sign(seal.Of(w.ID, 7, ids[:2]), 2, 3)
	proofs.fail = errors.New("the disk is full")
	if err := book.Learn(second, nil); !errors.Is(err, seal.ErrContradiction) || book.Status().Proofs != 1 {
		t.Errorf("a second seal: %v, %+v", err, book.Status())
	}
	if _, err := book.Retry(); !errors.Is(err, proofs.fail) {
		t.Errorf("Retry with a full disk = %v, want that", err)
	}
	proofs.fail = nil
	if _, err := book.Retry(); err != nil || len(proofs.kept) != 1 {
		t.Errorf("Retry = %v, %d proofs on the disk; want 1", err, len(proofs.kept))
	}
	if err := book.Merge([][]byte{[]byte("junk")}); !errors.Is(err, seal.ErrSeal) {
		t.Errorf("junk: %v", err)
	}
	// From the file it comes back.
	again, err := seal.NewBook(w, log, proofs)
	try(t, err)
	if s, ok := again.Sealed(7); !ok || s.Body != good.Body || again.Status().Newest != 7 {
		t.Errorf("after a restart: %+v", again.Status())
	}
	if l := again.Liars(); again.Status().Proofs != 1 || len(l) != 1 || l[0] != public(2) {
		t.Errorf("after a restart %d proofs against %x; want 1, against signer 2", again.Status().Proofs, l)
	}
	lateID := hash("late")
	items, err := again.Items()
	try(t, err)
	if len(items) != 1 || !bytes.Contains(items[0], lateID[:]) {
		t.Errorf("%d items; want one that names the late event", len(items))
	}
	log.floor = 8
	if _, err := again.Retry(); err != nil || again.Status().Any || again.Status().Proofs != 1 {
		t.Errorf("of a dropped epoch the proof alone is kept: %v, %+v", err, again.Status())
	}
	proofs.kept[7] = proofs.kept[7][:100]
	if _, err := seal.NewBook(w, log, proofs); err == nil {
		t.Error("half of a proof is taken for one")
	}
}

// Signers that lie about every epoch do not fill the disk with it.
func TestProofsAreBounded(t *testing.T) {
	w := testWorld(t, 1)
	log, proofs := newLog(), newProofs()
	book, err := seal.NewBook(w, log, proofs)
	try(t, err)
	of := func(epoch uint64, ids []world.Hash) seal.Seal {
		b := seal.Of(w.ID, epoch, ids)
		sig, err := quorum.NewMemory(w.ID).Sign(key(1), b.Statement(), func() error { return nil })
		try(t, err)
		return seal.Seal{Body: b, Signatures: []quorum.Signature{sig}}
	}
	for epoch := range uint64(100) {
		for n := range 3 {
			err := book.Learn(of(epoch, someIDs("x", n)), nil)
			if (n > 0) != errors.Is(err, seal.ErrContradiction) {
				t.Fatalf("epoch %d, seal %d: Learn = %v", epoch, n, err)
			}
		}
	}
	if n := book.Status().Proofs; n != 64 || len(proofs.kept) != n {
		t.Errorf("%d proofs, %d on the disk; want the first 64", n, len(proofs.kept))
	}
}

func FuzzSeal(f *testing.F) {
	f.Add([]byte("junk"))
	f.Add((&seal.Seal{Body: seal.Of(hash("w"), 7, someIDs("x", 3)), Signatures: []quorum.Signature{{Signer: public(1)}}}).Canonical())
	f.Fuzz(func(t *testing.T, b []byte) {
		if s, err := seal.Decode(b); err == nil && !bytes.Equal(s.Canonical(), b) {
			t.Errorf("%x came back as another", b)
		}
	})
}

func FuzzRequest(f *testing.F) {
	f.Add(seal.Request{Sign: true, Epoch: 7, IDs: sorted(someIDs("x", 3))}.Canonical())
	f.Fuzz(func(t *testing.T, b []byte) {
		if r, err := seal.DecodeRequest(b); err == nil && !bytes.Equal(r.Canonical(), b) {
			t.Errorf("%x came back as another", b)
		}
	})
}

func FuzzAnswer(f *testing.F) {
	ids := sorted(someIDs("x", 3))
	for _, a := range []seal.Answer{
		{Kind: seal.Agreed},
		{Kind: seal.Differs, Lacking: ids[:1], Missing: ids[1:]},
		{Kind: seal.Signed},
		{Kind: seal.Other, IDs: ids},
		{Kind: seal.Sealed, Seal: seal.Seal{Body: seal.Of(hash("w"), 7, ids)}},
	} {
		f.Add(a.Canonical())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if a, err := seal.DecodeAnswer(b); err == nil && !bytes.Equal(a.Canonical(), b) {
			t.Errorf("%x came back as another", b)
		}
	})
}
