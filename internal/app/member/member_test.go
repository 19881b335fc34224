package member

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/mesh/gossip"
	"github.com/culvert-net/culvert/mesh/roster"
	"github.com/culvert-net/culvert/mesh/world"
)

// With one founder the key of the member itself founds. What it keeps is what Files
// says, and private.
func TestFound(t *testing.T) {
	key := newKey(t)
	w := makeWorld(t, 1, key)
	m := open(t, w, key)
	if err := m.IsMember(); err == nil || !strings.Contains(err.Error(), "observer join FILE") {
		t.Errorf("IsMember of nobody = %v, want what to do", err)
	}
	if err := foundBy(m, "", time.Now()); app.Code(err) != app.ExitUsage {
		t.Errorf("founding without a founder's key = %v, want it refused", err)
	}
	if err := foundBy(m, "Not A Tag", time.Now(), key); app.Code(err) != app.ExitUsage {
		t.Errorf("founding with a bad operator = %v, want it refused", err)
	}
	try(t, foundBy(m, "example.org", time.Now(), key))
	try(t, m.IsMember())
	found, err := os.ReadDir(m.cfg.Dir)
	try(t, err)
	var names []string
	for _, f := range found {
		names = append(names, f.Name())
		info, err := f.Info()
		try(t, err)
		if want := os.FileMode(0o600); !f.IsDir() && info.Mode().Perm() != want || f.IsDir() && info.Mode().Perm() != 0o700 {
			t.Errorf("%s has mode %v", f.Name(), info.Mode())
		}
	}
	want := slices.Sorted(slices.Values(Files()))
	if !slices.Equal(names, want) {
		t.Errorf("the directory has %q, Files says %q", names, want)
	}
}

// What one member says the others get, with the roster that they need for it: also
// from a member that was not there when it was made.
func TestRosterTravels(t *testing.T) {
	a, b, c := newKey(t), newKey(t), newKey(t)
	w := makeWorld(t, 1, a)
	ma, mb, mc := open(t, w, a), open(t, w, b), open(t, w, c)
	try(t, foundBy(ma, "", time.Now(), a))
	admitted(t, ma, mb)
	admitted(t, ma, mc)
	try(t, mb.IsMember())
	try(t, mc.IsMember())
	s := start(t, ma, mb, mc)

	// b has not heard of c; c brings it the entry that admitted it. c was given one
	// box, so it first has to get b's from a.
	if why := meet(t, s[2], ma); why != "" && why != "none" {
		t.Fatalf("c with a: %s", why)
	}
	meet(t, s[1], mc) // c is behind nobody; b learns by it
	meet(t, s[2], mb)
	for _, m := range []*Member{ma, mb, mc} {
		if g, _ := m.Roster().Head(); g != 3 || len(m.Roster().Members()) != 3 || m.IsMember() != nil {
			t.Errorf("%s is in generation %d with %d members, %v", short(m.Self()), g, len(m.Roster().Members()), m.IsMember())
		}
	}
	said, err := (&Ops{Member: mb}).endorse(t.Context(), EndorseIn{Rules: strings.Repeat("ab", 32), Weight: 1})
	try(t, err)
	meet(t, s[2], mb)
	meet(t, s[2], ma)
	id, err := world.ParseHash(said.ID)
	try(t, err)
	for _, m := range []*Member{ma, mb, mc} {
		if has, err := m.events.Has(said.Epoch, id); !has || err != nil {
			t.Errorf("%s has not what b said, %v", short(m.Self()), err)
		}
	}
}

// Where two founders decide, both approve, each on its own machine, and only who was
// asked makes the entry.
func TestApprovalsTravel(t *testing.T) {
	a, b, c := newKey(t), newKey(t), newKey(t)
	w := makeWorld(t, 2, a, b)
	ma, mb, mc := open(t, w, a), open(t, w, b), open(t, w, c)
	try(t, foundBy(ma, "", time.Now(), a, b))
	joinDirectly(t, ma, mb, b)
	s := start(t, ma, mb, mc)

	admitted(t, ma, mc) // it is told to wait
	if mc.IsMember() == nil {
		t.Fatal("one of two founders admitted alone")
	}
	meet(t, s[0], mb)
	ops := &Ops{Member: mb}
	shown, err := ops.show(t.Context(), None{})
	try(t, err)
	if len(shown.Waiting) != 1 || shown.Waiting[0].Missing != 1 {
		t.Fatalf("b sees %+v waiting; want c, for one approval", shown.Waiting)
	}
	got, err := ops.admit(t.Context(), Named{Name: fullKey(mc.Self())[:8]})
	try(t, err)
	if got.Missing != 0 && got.Generation != 2 {
		t.Errorf("admit = %+v", got)
	}
	if g, _ := mb.Roster().Head(); g != 2 {
		t.Errorf("b made generation %d, though nobody asked it: two that do so fork the roster", g)
	}
	meet(t, s[0], mb)
	try(t, ma.settle(t.Context(), time.Now()))
	if _, is := ma.Roster().Member(mc.Self()); !is {
		t.Error("with both approvals c is no member")
	}
	if rows := ma.waiting.all(time.Now()); len(rows) != 0 {
		t.Errorf("%d changes still wait", len(rows))
	}
	if _, err := ops.admit(t.Context(), Named{Name: "ffff"}); app.Code(err) != app.ExitUsage {
		t.Errorf("admitting nobody = %v", err)
	}
}

// Where two founders decide, the second one comes in by an invite of the first, since
// it approves of itself. Before, it waited for ever: nobody else could approve, and no
// petition reached it.
func TestFounderJoins(t *testing.T) {
	a, b, c := newKey(t), newKey(t), newKey(t)
	w := makeWorld(t, 2, a, b)
	ma, mb, mc := open(t, w, a), open(t, w, b), open(t, w, c)
	try(t, foundBy(ma, "", time.Now(), a, b))
	admitted(t, ma, mb)
	if err := mb.IsMember(); err != nil {
		t.Errorf("the second of two founders: %v, want it admitted by its own approval and the inviter's", err)
	}
	admitted(t, ma, mc)
	if mc.IsMember() == nil {
		t.Error("one of two founders admitted a stranger alone")
	}
}

// A master that is a day old is replaced: one signer proposes, the other signs by
// the way of sync, and both have the new one.
func TestRotation(t *testing.T) {
	a, b := newKey(t), newKey(t)
	w := makeWorld(t, 1, a, b)
	ma, mb := open(t, w, a), open(t, w, b)
	day := time.Now().Add(-roster.MasterLife - time.Hour)
	try(t, foundBy(ma, "", day.Add(-time.Minute), a))
	joinDirectlyAt(t, ma, mb, b, day)
	s := start(t, ma, mb)
	before, _ := ma.Roster().Head()
	for _, x := range []*Service{s[0], s[1]} {
		try(t, x.rotations.propose(t.Context(), time.Now()))
	}
	if g, _ := ma.Roster().Head(); g != before {
		t.Fatalf("one of two signers rotated alone, to generation %d", g)
	}
	for range 3 {
		meet(t, s[0], mb)
		meet(t, s[1], ma)
	}
	ga, ea := ma.Roster().Head()
	gb, eb := mb.Roster().Head()
	if ga != before+1 || gb != ga || ea != eb || ma.IsMember() != nil || mb.IsMember() != nil || !ma.keys.Has(ea) || !mb.keys.Has(ea) {
		t.Errorf("generations %d and %d, from %d; both should have the next one and its key", ga, gb, before)
	}
	if n := len(ma.rotations.Items()); n != 0 {
		t.Errorf("%d proposals are left of a head that has passed", n)
	}
}

// What peers send that no honest one would is blamed on them, and changes nothing.
func TestCarriersRefuse(t *testing.T) {
	a := newKey(t)
	m := open(t, makeWorld(t, 1, a), a)
	try(t, foundBy(m, "", time.Now(), a))
	junk := [][]byte{[]byte("junk")}
	for i, c := range m.carriers() {
		before := c.Digest()
		if err := c.Merge(junk); !errors.Is(err, gossip.ErrEntry) {
			t.Errorf("carrier %d took junk: %v", i, err)
		}
		if c.Digest() != before {
			t.Errorf("junk changed carrier %d", i)
		}
	}
	if err := (group{m}).Learn(junk); !errors.Is(err, gossip.ErrEntry) {
		t.Errorf("Learn of junk = %v", err)
	}
	// An approval by nobody is none: what it is for is not kept.
	other := newKey(t)
	wrap := [32]byte{9}
	c := roster.Change{Kind: roster.Add, Member: roster.Member{Key: public(other), Wrap: wrap}, Approvals: []roster.Approval{{Key: public(other)}}}
	try(t, m.waiting.Merge([][]byte{roster.Petition{Proposer: public(other), Change: c}.Canonical()}))
	if n := len(m.waiting.all(time.Now())); n != 0 {
		t.Errorf("%d changes wait that nobody approved", n)
	}
}

// A newcomer who says nothing, too much or nonsense is let go.
func TestJoinHostile(t *testing.T) {
	a := newKey(t)
	m := open(t, makeWorld(t, 1, a), a)
	try(t, foundBy(m, "", time.Now(), a))
	for name, said := range map[string][]byte{
		"nothing":     nil,
		"a beginning": make([]byte, 16),
		"no nonce":    make([]byte, 32),
		"no length":   make([]byte, 64),
		"length 0":    make([]byte, 68),
		"too long":    append(make([]byte, 64), 0xff, 0xff, 0xff, 0xff),
		"cut":         append(make([]byte, 64), 0, 0, 1, 0, 7),
	} {
		here, there := net.Pipe()
		go func() {
			first := min(len(said), 64)
			_, _ = here.Write(said[:first])
			if first == 64 {
				_, _ = io.ReadFull(here, make([]byte, 32))
				_, _ = here.Write(said[first:])
			}
			here.Close()
		}()
		if _, err := m.hearJoin(there); err == nil {
			t.Errorf("%s: it was heard", name)
		}
		there.Close()
	}
	// Nonsense of the right form is refused with a reason.
	here, there := net.Pipe()
	go func() { _ = answerJoin(m, there); there.Close() }()
	_, err := here.Write(make([]byte, 32)) // a key
	try(t, err)
	_, _, err = nonces(here)
	try(t, err)
	try(t, writeMessage(here, []byte("nonsense")))
	b, err := readMessage(here, roster.MaxAnswer)
	try(t, err)
	if ans, err := roster.DecodeAnswer(b); err != nil || ans.Kind != roster.Refused || ans.Reason != roster.ReasonMalformed {
		t.Errorf("nonsense was answered with %+v, %v", ans, err)
	}
}

func FuzzRecord(f *testing.F) {
	key := newKey(f)
	w := makeWorld(f, 1, key)
	_, e, boxes, err := roster.Found(roster.Founding{
		World: *w, Keys: keysOf(key), Proposer: key,
		Members: []roster.Member{{Key: public(key), Wrap: [32]byte{9}}},
	}, time.Unix(1_800_000_000, 0))
	try(f, err)
	f.Add(record{entry: e, boxes: &boxes}.encode())
	f.Add(record{entry: e}.encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		x, err := decodeRecord(b)
		if err == nil && !bytes.Equal(x.encode(), b) {
			t.Errorf("%s came back as another", hex.EncodeToString(b))
		}
	})
}
