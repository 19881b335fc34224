package member

import (
	"context"
	"crypto/ed25519"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/culvert-net/culvert/mesh/directory"
	"github.com/culvert-net/culvert/mesh/event"
	"github.com/culvert-net/culvert/mesh/eventlog"
	"github.com/culvert-net/culvert/mesh/meshtest"
	"github.com/culvert-net/culvert/mesh/quorum"
	"github.com/culvert-net/culvert/mesh/roster"
	"github.com/culvert-net/culvert/mesh/seal"
	"github.com/culvert-net/culvert/mesh/world"
)

// hosted is members that run on real hosts, all they do included, on a simulated
// network. The first three are founders and the world's directory signers.
type hosted struct {
	*testing.T
	net     *meshtest.Network
	world   *world.World
	set     *directory.Set // where everybody finds everybody
	keys    []ed25519.PrivateKey
	members []*Service
	memory  []*quorum.Memory // of the signers
	ends    []func()         // stops what runs of a member
}

// hostedSigners is how many of the members sign.
const hostedSigners = 3

// runHosted makes n members in a bubble, who meet at the beginning of an epoch.
func runHosted(t *testing.T, n int, f func(t *testing.T, h *hosted)) {
	t.Helper()
	runHostedIn(t, time.Minute, n, f)
}

// runHostedIn is runHosted in a world with epochs of that length.
func runHostedIn(t *testing.T, epoch time.Duration, n int, f func(t *testing.T, h *hosted)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		h := &hosted{T: t, members: make([]*Service, n), ends: make([]func(), n)}
		for i := range n {
			h.keys = append(h.keys, ed25519.NewKeyFromSeed(append(make([]byte, 31), byte(i+1))))
		}
		h.net = meshtest.New(t, meshtest.Config{Hosts: n, Keys: h.keys, Seed: 1})
		rules := world.DefaultRules()
		rules.EpochLenMS = uint64(epoch.Milliseconds())
		h.world = makeWorldOf(t, rules, 1, h.keys[:hostedSigners]...)
		h.set = directory.NewSet(h.world)
		h.found()
		for range hostedSigners {
			h.memory = append(h.memory, quorum.NewMemory(h.world.ID))
		}
		h.epoch(h.world.Epoch(time.Now()) + 1)
		f(t, h)
		time.Sleep(time.Second) // a push that has just begun does not end before its first beat
		for i := range n {
			h.stop(i)
		}
	})
}

// found makes the roster, of which all are members.
func (h *hosted) found() {
	h.Helper()
	var founders []Founder
	var all []*Member
	for i, key := range h.keys {
		m := open(h, h.world, key)
		all = append(all, m)
		if i < hostedSigners {
			founders = append(founders, Founder{Member: m, Role: roster.RoleMemory})
		}
	}
	try(h, Found(founders, h.keys[:1], time.Now()))
	for _, m := range all[hostedSigners:] {
		joinDirectlyAt(h, all[0], m, h.keys[0], time.Now())
	}
	for i, m := range all {
		h.members[i] = &Service{Member: m}
	}
}

// epoch waits for an epoch, in which all stand in the directory.
func (h *hosted) epoch(number uint64) {
	h.Helper()
	for e := h.world.Epoch(time.Now()); e <= number; e++ {
		time.Sleep(time.Until(h.world.EpochStart(e)))
		for i, key := range h.keys {
			var node directory.Node
			node.Addrs, node.End = h.net.Peer(i).Addrs, true
			node.Onion = []directory.OnionKey{{Public: [32]byte{1: byte(i + 1)}, NotAfter: h.world.EpochStart(e + 2)}}
			ds, err := directory.Build(key, h.world.ID, e, 1, node)
			try(h, err)
			h.set.Add(ds, time.Now())
		}
	}
}

// after is so long after an epoch's end.
func (h *hosted) after(epoch uint64, d time.Duration) {
	h.Helper()
	at := h.world.EpochStart(epoch + 1).Add(d)
	h.epoch(h.world.Epoch(at))
	time.Sleep(time.Until(at))
	synctest.Wait()
}

// start runs a member: what an observer does of it, but for the parts named.
func (h *hosted) start(i int, but ...string) {
	h.Helper()
	host := h.net.Hosts[i]
	s, err := h.members[i].Member.StartHost(Links{Host: host, Set: h.set})
	try(h, err)
	if i < hostedSigners {
		try(h, s.Sign(h.memory[i], Links{Host: host, Set: h.set}))
	}
	h.members[i] = s
	ctx, cancel := context.WithCancel(h.Context())
	s.ServeHost(ctx, host)
	var wg sync.WaitGroup
	for _, p := range s.Parts() {
		if !slices.Contains(but, p.Name) {
			wg.Go(func() { _ = p.Run(ctx) })
		}
	}
	h.ends[i] = func() { cancel(); wg.Wait(); s.push.Close() }
}

func (h *hosted) stop(i int) {
	if h.ends[i] != nil {
		h.ends[i]()
		h.ends[i] = nil
	}
}

// said has a member say something, alone: nothing is pushed.
func (h *hosted) said(i int, epoch uint64, rules byte) *event.Event {
	h.Helper()
	e, err := event.SignEndorsement(h.keys[i], event.Endorsement{
		Place: event.Place{WorldID: h.world.ID, EpochID: epoch}, Rules: world.Hash{rules}, Weight: 1,
	})
	try(h, err)
	try(h, h.members[i].Member.Say(h.Context(), e, time.Now()))
	return e
}

// sealed checks that members have one and the same seal of an epoch, and that it
// names just these events.
func (h *hosted) sealed(epoch uint64, events []*event.Event, who ...int) {
	h.Helper()
	var ids []world.Hash
	for _, e := range events {
		ids = append(ids, e.ID)
	}
	want := seal.Of(h.world.ID, epoch, ids)
	for _, i := range who {
		m := h.members[i].Member
		s, ok := m.book.Sealed(epoch)
		if !ok || s.Body != want {
			h.Errorf("member %d: epoch %d sealed: %v, of %d events; want %d", i, epoch, ok, s.Count, len(ids))
			continue
		}
		try(h, s.Verify(h.world.ID, quorum.Of(h.world)))
		for _, id := range ids {
			if state, err := m.events.InSeal(epoch, id); state != eventlog.SealIn || err != nil {
				h.Errorf("member %d: an event of the seal is %v, %v", i, state, err)
			}
		}
	}
}

// outside checks that members hold an event that counts nowhere.
func (h *hosted) outside(epoch uint64, e *event.Event, who ...int) {
	h.Helper()
	for _, i := range who {
		if state, err := h.members[i].events.InSeal(epoch, e.ID); state != eventlog.SealOutside || err != nil {
			h.Errorf("member %d: the late event is %v, %v", i, state, err)
		}
	}
}

// sealedBy is how long after an epoch's end it is sealed for sure, if all is well:
// after the grace period and a lap.
const sealedBy = 30*time.Second + 20*time.Second

// Signers that hold different events, each its own, repair that over their links
// when an epoch is to be sealed, and agree on all of them. A member that signs
// nothing takes the seal over. What is said afterwards is refused where it is made,
// and counts nowhere if it comes by sync.
func TestSignersOnHosts(t *testing.T) {
	runHosted(t, 4, func(t *testing.T, h *hosted) {
		all := []int{0, 1, 2, 3}
		over := h.world.Epoch(time.Now())
		var said []*event.Event
		for _, i := range all { // nothing but what signers do by themselves
			h.start(i, "sync", "push", "links to members", "members watch")
			said = append(said, h.said(i, over, byte(i+1)))
		}
		if why := meet(h, h.members[3], h.members[0].Member); why != "none" {
			t.Fatalf("3 with 0: %s", why)
		}
		for _, i := range all[:3] {
			if ids, err := h.members[i].events.Sealable(over, time.Time{}); err != nil || len(ids) == len(said) {
				t.Fatalf("signer %d has all %d events before the epoch is over, %v: nothing is to be repaired", i, len(ids), err)
			}
		}
		h.after(over, seal.Grace(h.world)-time.Second)
		for _, i := range all {
			if _, ok := h.members[i].book.Sealed(over); ok {
				t.Errorf("member %d has a seal before the grace period is over", i)
			}
		}
		h.after(over, sealedBy)
		h.sealed(over, said, 0, 1, 2)
		if _, ok := h.members[3].book.Sealed(over); ok {
			t.Fatal("a member that has met nobody has the seal")
		}

		for _, i := range all {
			h.stop(i)
			h.start(i)
		}
		h.after(over+1, sealedBy)
		h.sealed(over, said, all...)
		h.sealed(over+1, nil, all...)
		late := event.Endorsement{Place: event.Place{WorldID: h.world.ID, EpochID: over}, Rules: world.Hash{9}, Weight: 1}
		for _, i := range all {
			e, err := event.SignEndorsement(h.keys[i], late)
			try(t, err)
			if err := h.members[i].Say(t.Context(), e); !errors.Is(err, eventlog.ReasonSealed) {
				t.Errorf("member %d says something in the sealed epoch: %v, want %v", i, err, eventlog.ReasonSealed)
			}
		}
		e, err := event.SignEndorsement(h.keys[3], late)
		try(t, err)
		r, err := h.members[2].events.Add(t.Context(), []*event.Event{e}, eventlog.ViaSync, time.Now())
		if err != nil || r.Added != 1 {
			t.Fatalf("Add = %+v, %v", r, err)
		}
		h.after(over+2, 0)
		h.outside(over, e, all...)
		h.sealed(over, said, all...)
		for _, i := range all {
			if s := h.members[i].Status(); s.Alarm != "" || s.Seals.Double != 0 {
				t.Errorf("member %d: %q, %+v", i, s.Alarm, s.Seals)
			}
		}
	})
}

// With one signer cut off the two others seal; it takes their seals over when it is
// back, and what it alone had said counts nowhere.
func TestSignerOnHostDown(t *testing.T) {
	for down := range hostedSigners {
		runHosted(t, 4, func(t *testing.T, h *hosted) {
			over := h.world.Epoch(time.Now())
			var up []int
			for i := range 4 {
				h.start(i)
				if i != down {
					up = append(up, i)
				}
			}
			time.Sleep(10 * time.Second)
			h.net.Partition(down)
			alone := h.said(down, over, 9)
			var said []*event.Event
			for _, i := range up {
				said = append(said, h.said(i, over, byte(i+1)))
			}
			h.after(over, sealedBy)
			h.sealed(over, said, up...)
			if _, ok := h.members[down].book.Sealed(over); ok {
				t.Error("a signer that nobody reaches has a seal")
			}
			h.net.Heal()
			h.after(over+3, sealedBy)
			h.sealed(over, said, 0, 1, 2, 3)
			h.outside(over, alone, 0, 1, 2, 3)
			for e := over + 1; e <= over+3; e++ {
				h.sealed(e, nil, 0, 1, 2, 3)
			}
		})
	}
}

// Two signers sign a second seal, and give it to a member that nobody else reaches.
// When it is back everybody knows who lied, and still does after a restart; each
// stands by the seal that it had first.
func TestDoubleSealOnHosts(t *testing.T) {
	runHosted(t, 4, func(t *testing.T, h *hosted) {
		all := []int{0, 1, 2, 3}
		over := h.world.Epoch(time.Now())
		for _, i := range all {
			h.start(i)
		}
		time.Sleep(10 * time.Second)
		h.net.Partition(3)
		said := []*event.Event{h.said(0, over, 1)}
		h.after(over, sealedBy)
		h.sealed(over, said, 0, 1, 2)
		second := seal.Of(h.world.ID, over, nil)
		signed := quorum.Signed{Statement: second.Statement()}
		for _, i := range []int{1, 2} {
			sig, err := quorum.NewMemory(h.world.ID).Sign(h.keys[i], signed.Statement, func() error { return nil })
			try(t, err)
			signed.Add(sig)
		}
		try(t, h.members[3].book.Learn(seal.Seal{Body: second, Signatures: signed.Signatures}, nil))
		h.net.Heal()
		h.after(over+3, 0)

		first, ok := h.members[0].book.Sealed(over)
		if !ok {
			t.Fatal("the first seal is gone")
		}
		var liars []string // who is among those of both
		for _, sig := range first.Signatures {
			if sig.Signer == public(h.keys[1]) || sig.Signer == public(h.keys[2]) {
				liars = append(liars, fullKey(sig.Signer))
			}
		}
		told := func() {
			t.Helper()
			for _, i := range all {
				s := h.members[i].Status()
				if s.Seals.Double != 1 || !slices.Equal(s.Seals.DoubleBy, liars) || !strings.Contains(s.Alarm, liars[0][:8]) {
					t.Errorf("member %d: alarm %q, %+v; want that %.8s signed twice", i, s.Alarm, s.Seals, liars)
				}
				if text := metrics(t, h.members[i]); !strings.Contains(text, "\nculvert_seal_double 1\n") {
					t.Errorf("member %d: metrics do not tell", i)
				}
			}
			h.sealed(over, said, 0, 1, 2)
			h.sealed(over, nil, 3)
		}
		told()
		for _, i := range all {
			h.stop(i)
			h.members[i].Member = reopen(t, h.members[i].Member)
		}
		for _, i := range all {
			h.start(i, "sync") // nobody brings it again
		}
		told()
	})
}
