package notary

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/culvert-net/culvert/mesh/directory"
	"github.com/culvert-net/culvert/mesh/directory/bundle"
	"github.com/culvert-net/culvert/mesh/directory/dirtest"
	"github.com/culvert-net/culvert/mesh/quorum"
	"github.com/culvert-net/culvert/mesh/world"
)

// Signers that know different nodes sign a root of all of them, and all have it.
func TestRootOfAllThatIsKnown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := meet(t, 2, 3)
		epoch := m.Epoch(time.Now())
		for i := range 3 {
			m.know(m.Node(t, i, epoch, 1, "model"), time.Now(), i)
		}
		time.Sleep(grace(m.World.World) + time.Second)
		if err := m.signers[1].Propose(t.Context(), time.Now()); err != nil {
			t.Fatal(err)
		}
		for i, s := range m.signers {
			b := s.store.Newest()
			if b == nil || b.Root.Epoch != epoch || b.Root.ID() != m.signers[0].store.Newest().Root.ID() {
				t.Fatalf("signer %d has not the root of the others", i)
			}
			for node := range 3 {
				if !s.has(m.World.World, node) {
					t.Errorf("node %d is missing in the bundle of signer %d", node, i)
				}
			}
		}
		// The next one follows it.
		first := m.signers[0].store.Newest().Root.ID()
		time.Sleep(m.EpochLen())
		if err := m.signers[2].Propose(t.Context(), time.Now()); err != nil {
			t.Fatal(err)
		}
		if r := m.signers[0].store.Newest().Root; r.Previous != first || r.Epoch != epoch+1 {
			t.Errorf("the next root is of epoch %d and follows %v", r.Epoch, r.Previous)
		}
	})
}

// What another has not yet heard of is no reason to wait.
func TestGrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := meet(t, 2, 2)
		epoch := m.Epoch(time.Now())
		m.know(m.Node(t, 0, epoch, 1), time.Now(), 0)
		time.Sleep(grace(m.World.World) + time.Second)
		m.know(m.Node(t, 1, epoch, 1), time.Now(), 1) // just now
		if err := m.signers[0].Propose(t.Context(), time.Now()); err != nil {
			t.Fatal(err)
		}
		if s := m.signers[1]; !s.has(m.World.World, 0) || s.has(m.World.World, 1) {
			t.Error("the root waited for what came just now")
		}
	})
}

// A key that contradicted itself at another signer is in no bundle.
func TestContradictionIsFoundBetweenSigners(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := meet(t, 2, 2)
		epoch := m.Epoch(time.Now())
		m.know(m.Relays(t, 2, epoch), time.Now(), 0, 1)
		m.know(m.Node(t, 7, epoch, 1, "one"), time.Now(), 0)
		other := m.Node(t, 7, epoch, 1, "one")
		u := other[0].DescriptorUnsigned
		u.ContactPoints = append(slices.Clone(u.ContactPoints), "cap:tools")
		m.know([]world.Descriptor{world.SignDescriptor(dirtest.Key(7), u)}, time.Now(), 1)
		time.Sleep(grace(m.World.World) + time.Second)
		if err := m.signers[0].Propose(t.Context(), time.Now()); err != nil {
			t.Fatal(err)
		}
		if s := m.signers[1]; s.has(m.World.World, 7) || !s.has(m.World.World, 1) {
			t.Error("who says one thing here and another there stands in the bundle")
		}
	})
}

// proposalOf is a proposal of the first signer that the second would sign.
func proposalOf(t *testing.T, m *meeting) (*draft, *bundle.SignedRoot) {
	t.Helper()
	d, previous, err := m.signers[0].draft(m.Epoch(time.Now()), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return d, previous
}

func TestRefusals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := meet(t, 2, 3)
		epoch := m.Epoch(time.Now())
		m.know(m.Relays(t, 3, epoch), time.Now(), 0, 1, 2)
		if err := m.signers[0].Propose(t.Context(), time.Now()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(m.EpochLen() + time.Minute)
		epoch++
		m.know(m.Relays(t, 3, epoch), time.Now(), 0, 1, 2)
		time.Sleep(grace(m.World.World) + time.Second)
		otherWorld := dirtest.New(t, 6*time.Minute, 2, 3)
		leavesOf := func(ds []world.Descriptor) *bundle.Leaves {
			var all [][]byte
			for i := range ds {
				all = append(all, bundle.Descriptor(ds[i].Canonical()))
			}
			l, err := bundle.NewLeaves(all)
			if err != nil {
				t.Fatal(err)
			}
			return l
		}
		set := func(d *draft, l *bundle.Leaves) {
			d.leaves, d.Count, d.Leaves = l, uint32(l.Len()), l.Merkle()
		}
		forged := m.Node(t, 0, epoch, 1)
		forged[0].Signature[5] ^= 1
		for _, c := range []struct {
			name   string
			change func(*draft)
			kind   uint32
			reason refusal
		}{
			{"nothing", func(*draft) {}, answerWould, 0},
			{"the next epoch", func(d *draft) { d.Epoch++ }, answerRefused, refusedEpoch},
			{"an epoch far ahead", func(d *draft) { d.Epoch += 1000 }, answerRefused, refusedEpoch},
			{"the last epoch", func(d *draft) { d.Epoch-- }, answerHave, 0},
			{"another world", func(d *draft) { d.World = otherWorld.ID }, answerRefused, refusedWorld},
			{"an hour ago", func(d *draft) { d.Time -= 3_600_000 }, answerRefused, refusedTime},
			{"later than now", func(d *draft) { d.Time += uint64(directory.Skew(m.World.World).Milliseconds()) + 1 }, answerRefused, refusedTime},
			{"another root before", func(d *draft) { d.Previous[0] ^= 1 }, answerHave, 0},
			{"no root before", func(d *draft) { d.Previous = world.Hash{} }, answerHave, 0},
			{"a roster nobody knows", func(d *draft) { d.Generation = 7 }, answerRefused, refusedRoster},
			{"a wrong count", func(d *draft) { d.Count++ }, answerRefused, refusedContent},
			{"wrong leaves", func(d *draft) { d.Leaves[0] ^= 1 }, answerRefused, refusedContent},
			{"a stranger's signature", func(d *draft) {
				d.Signatures = []quorum.Signature{{Signer: dirtest.Public(dirtest.Key(1))}}
			}, answerRefused, refusedContent},
			{"a node left out", func(d *draft) { set(d, leavesOf(m.Relays(t, 2, epoch))) }, answerLacking, 0},
			{"nobody in it", func(d *draft) { set(d, leavesOf(nil)) }, answerLacking, 0},
			{"a forged node", func(d *draft) { set(d, leavesOf(append(m.Relays(t, 3, epoch)[1:], forged...))) }, answerRefused, refusedContent},
			{"a node of another world", func(d *draft) {
				set(d, leavesOf(append(m.Relays(t, 3, epoch), otherWorld.Node(t, 9, epoch, 1)...)))
			}, answerRefused, refusedContent},
			{"a node of long ago", func(d *draft) {
				set(d, leavesOf(append(m.Relays(t, 3, epoch), m.Node(t, 9, epoch-2, 1)...)))
			}, answerRefused, refusedContent},
			{"a price sheet", func(d *draft) {
				l, err := bundle.NewLeaves(append(slices.Clone(d.leaves.All()), []byte("\x01sheet")))
				if err != nil {
					t.Fatal(err)
				}
				set(d, l)
			}, answerRefused, refusedContent},
		} {
			d, previous := proposalOf(t, m)
			c.change(d)
			q := request{kind: requestReview, world: m.ID, proposal: d.proposal(), previous: previous, bodies: d.leaves.All()}
			a, err := decodeAnswer(m.signers[1].Answer(q.encode(), time.Now()))
			if err != nil || a.kind != c.kind || a.reason != c.reason {
				t.Errorf("%s: answer %d (%v), %v, want %d (%v)", c.name, a.kind, a.reason, err, c.kind, c.reason)
			}
			if _, signed := m.signers[1].memory.Signed(quorum.RootOf(epoch)); signed {
				t.Fatalf("%s: a review made it sign", c.name)
			}
		}
		for name, message := range map[string][]byte{"nothing": nil, "nonsense": []byte("nonsense")} {
			a, err := decodeAnswer(m.signers[1].Answer(message, time.Now()))
			if err != nil || a.reason != refusedRequest {
				t.Errorf("%s: %v, %v", name, a.reason, err)
			}
		}
		poll := request{kind: requestPoll, world: otherWorld.ID}
		if a, err := decodeAnswer(m.signers[1].Answer(poll.encode(), time.Now())); err != nil || a.reason != refusedWorld {
			t.Errorf("a poll of another world: %v, %v", a.reason, err)
		}
	})
}

// A signer that signed and was killed before anybody heard of it does not sign
// another root, and gives its name to the same one again.
func TestSignedAndLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := meet(t, 2, 3)
		epoch := m.Epoch(time.Now())
		m.know(m.Relays(t, 3, epoch), time.Now(), 0, 1, 2)
		// Signer 0 signs; its signature reaches nobody, and it forgets the bundle.
		d, _ := proposalOf(t, m)
		m.signers[0].mu.Lock()
		if err := m.signers[0].sign(d); err != nil {
			t.Fatal(err)
		}
		m.signers[0].mu.Unlock()
		m.start(t, 0, 1)
		if err := m.signers[0].Propose(t.Context(), time.Now()); !errors.Is(err, errTooFew) {
			t.Errorf("its next attempt: %v", err)
		}
		// The other two do not need it.
		time.Sleep(time.Second)
		if err := m.signers[1].Propose(t.Context(), time.Now()); err != nil {
			t.Fatal(err)
		}
		b := m.signers[0].store.Newest()
		if b == nil || b.Root.ID() == d.ID() || b.Root.ID() != m.signers[2].store.Newest().Root.ID() {
			t.Error("the root of the two others is not everybody's")
		}
		for _, sig := range b.Root.Signatures {
			if sig.Signer == dirtest.Public(m.Signers[0]) {
				t.Error("it signed two roots of one epoch")
			}
		}
	})
}

// A proposer that is killed after others signed: whoever signed finishes.
func TestProposerDies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := meet(t, 3, 4)
		epoch := m.Epoch(time.Now())
		m.know(m.Relays(t, 3, epoch), time.Now(), 0, 1, 2, 3)
		m.lost = func(from, to int, request []byte) bool {
			return from == 0 && request[0] == requestSign && to != 1 // only signer 1 hears of it
		}
		if err := m.signers[0].Propose(t.Context(), time.Now()); !errors.Is(err, errTooFew) {
			t.Fatalf("the proposer: %v", err)
		}
		m.away(0, true)
		m.lost = nil
		time.Sleep(time.Second)
		if err := m.signers[2].Propose(t.Context(), time.Now()); err != nil {
			t.Fatalf("who steps in: %v", err)
		}
		b := m.signers[3].store.Newest()
		if b == nil || len(b.Root.Signatures) < 3 {
			t.Fatal("nobody finished the root")
		}
		if content, _ := m.signers[1].memory.Signed(quorum.RootOf(epoch)); content != b.Root.ID() {
			t.Error("another root was finished than the one that was begun")
		}
	})
}

// Two of four have signed one root, one another, and the fourth's vote decides. It
// goes to what most have signed, and who signed the other does not ask for it, as
// long as that may help.
func TestVotesGoToTheMost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := meet(t, 3, 4)
		epoch := m.Epoch(time.Now())
		m.know(m.Relays(t, 2, epoch), time.Now(), 0, 1, 2, 3)
		time.Sleep(grace(m.World.World) + time.Second)
		vote := func(d *draft, who ...int) {
			t.Helper()
			for _, i := range who {
				n := m.signers[i]
				n.mu.Lock()
				if err := n.sign(&draft{SignedRoot: bundle.SignedRoot{Root: d.Root}, leaves: d.leaves}); err != nil {
					t.Fatal(err)
				}
				n.mu.Unlock()
			}
		}
		drafted := func(i int) *draft {
			t.Helper()
			d, _, err := m.signers[i].draft(epoch, time.Now())
			if err != nil {
				t.Fatal(err)
			}
			return d
		}
		most := drafted(0)
		vote(most, 0, 1)
		time.Sleep(time.Second)
		vote(drafted(2), 2)
		if err := m.signers[2].Propose(t.Context(), time.Now()); !errors.Is(err, errSplit) {
			t.Errorf("the signer that is alone: Propose = %v, want %v", err, errSplit)
		}
		if _, signed := m.signers[3].memory.Signed(quorum.RootOf(epoch)); signed {
			t.Fatal("the signer that is alone got the vote that others need")
		}
		if err := m.signers[3].Propose(t.Context(), time.Now()); err != nil {
			t.Fatal(err)
		}
		for i, s := range m.signers {
			if h := s.store.Highest(); h == nil || h.ID() != most.ID() {
				t.Errorf("signer %d has not the root that two had signed", i)
			}
		}
	})
}

// Who signed something that nobody else will finish asks for votes in the end.
func TestYieldingEnds(t *testing.T) {
	n := meet(t, 3, 4).signers[0]
	m := meet(t, 3, 4)
	epoch := m.Epoch(time.Now())
	b := m.Bundle(t, epoch, world.Hash{}, m.Relays(t, 1, epoch), 0)
	other := m.Bundle(t, epoch, world.Hash{}, m.Relays(t, 2, epoch), 1, 2)
	own := &draft{SignedRoot: b.Root, leaves: b.Leaves}
	forged := &draft{SignedRoot: bundle.SignedRoot{Root: other.Root.Root, Signatures: slices.Clone(other.Root.Signatures)}, leaves: other.Leaves}
	forged.Signatures[0].Bytes[0] ^= 1
	if n.yields(own, []proposal{forged.proposal()}) {
		t.Error("a signer yields to signatures that are none")
	}
	more := &draft{SignedRoot: other.Root, leaves: other.Leaves}
	for i := range maxYields + 2 {
		if got := n.yields(own, []proposal{more.proposal()}); got != (i < maxYields) {
			t.Errorf("time %d: yields = %v", i, got)
		}
	}
	if n.yields(&draft{SignedRoot: other.Root, leaves: other.Leaves}, []proposal{own.proposal()}) {
		t.Error("a signer yields to fewer votes than its own")
	}
}

// With fewer than t signers there is no root, with t again there is one.
func TestTooFewSigners(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := meet(t, 2, 3)
		m.know(m.Relays(t, 3, m.Epoch(time.Now())), time.Now(), 0, 1, 2)
		m.away(1, true)
		m.away(2, true)
		if err := m.signers[0].Propose(t.Context(), time.Now()); !errors.Is(err, errTooFew) {
			t.Errorf("alone: %v", err)
		}
		if _, signed := m.signers[0].memory.Signed(quorum.RootOf(m.Epoch(time.Now()))); signed {
			t.Error("its name was given away for nothing")
		}
		m.away(2, false)
		if err := m.signers[0].Propose(t.Context(), time.Now()); err != nil {
			t.Errorf("with one more: %v", err)
		}
		m.away(1, false)
		if err := m.signers[1].Propose(t.Context(), time.Now()); err != nil || m.signers[1].behind != 1 {
			t.Errorf("who was away: %v, told %d times that it is behind", err, m.signers[1].behind)
		}
	})
}

// One signer that signs everything makes two roots of one epoch, which is seen
// when they meet, proves who it was, and stops the others.
func TestLyingSigner(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := meet(t, 2, 3)
		epoch := m.Epoch(time.Now())
		m.know(m.Relays(t, 3, epoch), time.Now(), 0, 1, 2)
		a := m.Bundle(t, epoch, world.Hash{}, m.Relays(t, 3, epoch), 0, 2)
		b := m.Bundle(t, epoch, world.Hash{}, m.Relays(t, 2, epoch), 1, 2)
		if err := errors.Join(m.signers[0].store.Put(a), m.signers[1].store.Put(b)); err != nil {
			t.Fatal(err)
		}
		q := request{kind: requestSign, world: m.ID, proposal: (&draft{SignedRoot: a.Root, leaves: a.Leaves}).proposal()}
		if got, err := decodeAnswer(m.signers[1].Answer(q.encode(), time.Now())); err != nil || got.reason != refusedForked {
			t.Errorf("told of the other root: %v, %v", got.reason, err)
		}
		proof := m.signers[1].store.Proof()
		if proof == nil {
			t.Fatal("there is no proof")
		}
		liars, err := proof.Verify(m.ID, m.Quorum)
		if err != nil || len(liars) != 1 || liars[0] != dirtest.Public(m.Signers[2]) {
			t.Errorf("liars %x, %v", liars, err)
		}
		time.Sleep(m.EpochLen())
		if err := m.signers[1].Propose(t.Context(), time.Now()); err == nil || m.signers[1].Status().Forked == "" {
			t.Errorf("it goes on: %v, %q", err, m.signers[1].Status().Forked)
		}
	})
}

// Signers that run make the first root once nodes have come and a second has
// been quiet, and one in each epoch from then on, whoever is away.
func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := meet(t, 2, 3)
		ctx, cancel := context.WithCancel(t.Context())
		for i := range m.signers {
			m.start(t, i, 3)
			go func() { _ = m.signers[i].Run(ctx) }() // ends without an error
		}
		defer func() { cancel(); synctest.Wait() }()
		time.Sleep(time.Minute)
		m.know(m.Relays(t, 2, m.Epoch(time.Now())), time.Now(), 0, 1, 2)
		time.Sleep(time.Minute)
		if m.signers[0].store.Newest() != nil {
			t.Fatal("the first root did not wait for its nodes")
		}
		m.know(m.Relays(t, 3, m.Epoch(time.Now())), time.Now(), 0, 1, 2)
		time.Sleep(quiet / 2)
		synctest.Wait()
		if m.signers[0].store.Newest() != nil {
			t.Fatal("the first root did not wait for a quiet second")
		}
		time.Sleep(15 * time.Second)
		synctest.Wait()
		if b := m.signers[0].store.Newest(); b == nil || b.Len() != 3 {
			t.Fatal("there is no first root of three nodes")
		}
		for away := range 3 {
			next := m.Epoch(time.Now()) + 1
			time.Sleep(time.Until(m.EpochStart(next)))
			m.know(m.Relays(t, 3, next), time.Now(), 0, 1, 2)
			m.away(away, true)
			time.Sleep(time.Minute)
			synctest.Wait()
			m.away(away, false)
			for i, s := range m.signers {
				if r := s.store.Highest(); i != away && (r == nil || r.Epoch != next) {
					t.Errorf("with signer %d away, signer %d has no root of the epoch", away, i)
				}
			}
			if s := m.signers[(away+1)%3].Status(); s.Epoch != next || s.Problem != "" || s.Signers != 3 {
				t.Errorf("status %+v", s)
			}
		}
	})
}

// The order of proposers turns, and each epoch has one of each rank.
func TestRank(t *testing.T) {
	m := meet(t, 2, 3)
	first := make(map[int]bool)
	for epoch := range uint64(3) {
		seen := make(map[int]bool)
		for i, s := range m.signers {
			seen[s.rank(epoch)] = true
			if s.rank(epoch) == 0 {
				first[i] = true
			}
		}
		if len(seen) != 3 {
			t.Errorf("epoch %d: ranks %v", epoch, seen)
		}
	}
	if len(first) != 3 {
		t.Errorf("only %v are ever first", first)
	}
}

func TestNewRefuses(t *testing.T) {
	m := meet(t, 2, 3)
	good := m.signers[0].cfg
	for name, change := range map[string]func(*Config){
		"a stranger":  func(c *Config) { c.Key = dirtest.Key(0) },
		"no memory":   func(c *Config) { c.Memory = nil },
		"no peers":    func(c *Config) { c.Peers = nil },
		"no signers":  func(c *Config) { c.Quorum = quorum.Quorum{} },
		"two quorums": func(c *Config) { c.Quorum.Threshold = 1 },
	} {
		cfg := good
		change(&cfg)
		if _, err := New(cfg); err == nil {
			t.Errorf("%s: New succeeded", name)
		}
	}
}

func TestRefusalsHaveTexts(t *testing.T) {
	seen := make(map[string]bool)
	for r := refusedRequest; r <= refusedBroken+1; r++ {
		if text := r.Error(); seen[text] || bytes.HasPrefix([]byte(text), []byte("refusal ")) != (r > refusedBroken) {
			t.Errorf("refusal %d says %q", r, text)
		} else {
			seen[text] = true
		}
	}
}

func FuzzRequest(f *testing.F) {
	w := dirtest.New(f, 5*time.Minute, 2, 3)
	b := w.Bundle(f, 100, world.Hash{}, w.Relays(f, 2, 100), 0, 1)
	d := draft{SignedRoot: b.Root, leaves: b.Leaves}
	for _, q := range []request{
		{kind: requestPoll, world: w.ID, epoch: 7},
		{kind: requestSign, world: w.ID, proposal: d.proposal(), previous: &b.Root, bodies: b.All()},
	} {
		f.Add(q.encode())
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		q, err := decodeRequest(in)
		if err == nil && !bytes.Equal(q.encode(), in) {
			t.Errorf("%x decodes and encodes to something else", in)
		}
	})
}

func FuzzAnswer(f *testing.F) {
	w := dirtest.New(f, 5*time.Minute, 2, 3)
	b := w.Bundle(f, 100, world.Hash{}, w.Relays(f, 2, 100), 0, 1)
	d := draft{SignedRoot: b.Root, leaves: b.Leaves}
	for _, a := range []answer{
		{kind: answerWould},
		{kind: answerSigned, signatures: b.Root.Signatures},
		{kind: answerWant, want: []uint32{1, 300}},
		{kind: answerLacking, lacking: b.All()},
		{kind: answerHave, have: b.Root},
		{kind: answerTaken, taken: d.proposal()},
		{kind: answerRefused, reason: 3},
	} {
		f.Add(a.encode())
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		a, err := decodeAnswer(in)
		if err == nil && !bytes.Equal(a.encode(), in) {
			t.Errorf("%x decodes and encodes to something else", in)
		}
	})
}
