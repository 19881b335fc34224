package roster

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/culvert-net/culvert/internal/files"
	"github.com/culvert-net/culvert/mesh/world"
)

// seat is a person with a keyring, whose wrap key is in the roster.
type seat struct {
	person
	ring *Keyring
	path string
}

func (g *group) seat(n int, operator string) *seat {
	g.Helper()
	s := &seat{person: someone(n, operator), path: filepath.Join(g.TempDir(), "group.keys")}
	var err error
	if s.ring, err = OpenKeyring(s.path, g.roster); err != nil {
		g.Fatal(err)
	}
	s.Member.Wrap = s.ring.Wrap()
	return s
}

// entry appends an entry of changes and gives its boxes to seats, which may
// have none.
func (g *group) entry(changes []Change, seats ...*seat) Entry {
	g.Helper()
	e, boxes, err := g.roster.Propose(g.founders[0].key, changes, NoProviders{}, g.now)
	g.must(e, err)
	for _, s := range seats {
		_, has := boxes.For(s.Key)
		if err := s.ring.Open(s.Key, boxes); has && err != nil || !has && !errors.Is(err, ErrBox) {
			g.Fatalf("opening the box of %s: %v", short(s.Key), err)
		}
	}
	return e
}

// same reports whether two keys are one, by what is derived from them.
func same(a, b *world.Secret) bool { return a.Keyed("test") == b.Keyed("test") }

func TestKeysOfEpochs(t *testing.T) {
	g := newGroup(t, spec{n: 1, m: 1, t: 1})
	a, b := g.seat(20, "a"), g.seat(21, "b")
	if _, err := a.ring.EpochKey(1); !errors.Is(err, ErrNoMaster) {
		t.Errorf("EpochKey without a master: %v", err)
	}
	g.later(time.Hour)
	add := func(s *seat) Change { return g.approved(Change{Kind: Add, Member: s.Member}, g.founders...) }
	g.entry([]Change{add(a), add(b)}, a, b)
	g.later(time.Hour)
	epoch := g.world.Epoch(g.now)
	keyA, errA := a.ring.EpochKey(epoch)
	keyB, errB := b.ring.EpochKey(epoch)
	if errA != nil || errB != nil || !same(keyA, keyB) {
		t.Fatalf("members have different keys: %v, %v", errA, errB)
	}
	if next, err := a.ring.EpochKey(epoch + 1); err != nil || same(next, keyA) {
		t.Errorf("the next epoch's key: %v", err)
	}
	targetA, err := a.ring.TargetKey(epoch)
	if err != nil || !same(targetA, keyA) {
		t.Errorf("with one generation, target key and epoch key are one: %v", err)
	}
	// In the epoch of their admission they cannot name targets yet.
	if _, err := a.ring.TargetKey(epoch - 1); !errors.Is(err, ErrNoMaster) {
		t.Errorf("TargetKey of the epoch of admission: %v", err)
	}

	// b is evicted: the epoch's transport key changes at once, its target key
	// does not, and b reads neither of what comes.
	removal := g.approved(Change{Kind: Remove, Member: b.Member}, g.founders...)
	e := g.entry([]Change{removal}, a, b)
	after, err := a.ring.EpochKey(epoch)
	if err != nil || same(after, keyA) {
		t.Errorf("after an eviction the epoch has another key: %v", err)
	}
	if k, err := b.ring.EpochKey(epoch); err != nil || same(k, after) {
		t.Errorf("who was evicted keeps the old key: %v", err)
	}
	if k, err := a.ring.EntryKey(e.Hash(), epoch); err != nil || !same(k, after) {
		t.Errorf("the key under the newest entry is the epoch's: %v", err)
	}
	if k, err := b.ring.EntryKey(e.Hash(), epoch); !errors.Is(err, ErrNoMaster) || k != nil {
		t.Errorf("who was evicted has the key of the entry that did it: %v", err)
	}
	if k, err := a.ring.TargetKey(epoch); err != nil || !same(k, targetA) {
		t.Errorf("the target key changed within an epoch: %v", err)
	}
	if k, err := a.ring.TargetKey(epoch + 1); err != nil || same(k, targetA) || !a.ring.Has(e.Hash()) {
		t.Errorf("the target key of the next epoch: %v", err)
	}
	if _, err := b.ring.TargetKey(epoch + 1); !errors.Is(err, ErrNoMaster) {
		t.Errorf("who was evicted has a target key: %v", err)
	}
	if n, ok := a.ring.Newest(); !ok || n != 3 {
		t.Errorf("Newest = %d, %v, want 3", n, ok)
	}

	// All of it is there after a restart.
	again, err := OpenKeyring(a.path, g.roster)
	if err != nil {
		t.Fatal(err)
	}
	if k, err := again.EpochKey(epoch); err != nil || !same(k, after) || again.Wrap() != a.ring.Wrap() {
		t.Errorf("after a restart: %v", err)
	}
}

func TestForget(t *testing.T) {
	g := newGroup(t, spec{n: 1, m: 1, t: 1}) // horizon: 14 days
	a := g.seat(20, "a")
	first := g.entry([]Change{g.approved(Change{Kind: Add, Member: a.Member}, g.founders...)}, a)
	g.later(24 * time.Hour)
	second := g.entry([]Change{g.approved(Change{Kind: Add, Member: someone(21, "").Member}, g.founders...)}, a)
	target, err := a.ring.TargetKey(second.Epoch) // which still takes the first
	if err != nil {
		t.Fatal(err)
	}
	g.later(14 * 24 * time.Hour)
	if err := a.ring.Forget(g.now); err != nil {
		t.Fatal(err)
	}
	if k, err := a.ring.TargetKey(second.Epoch); err != nil || !same(k, target) {
		t.Errorf("a key within the horizon is gone: %v", err)
	}
	g.later(time.Hour)
	before, err := os.ReadFile(a.path)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.ring.Forget(g.now); err != nil {
		t.Fatal(err)
	}
	after, err := os.ReadFile(a.path)
	if err != nil || len(after) >= len(before) {
		t.Errorf("the file has %d bytes, before %d", len(after), len(before))
	}
	if a.ring.Has(first.Hash()) || !a.ring.Has(second.Hash()) {
		t.Error("want the first master gone and the second here")
	}
	g.later(365 * 24 * time.Hour)
	if err := a.ring.Forget(g.now); err != nil || !a.ring.Has(second.Hash()) {
		t.Errorf("the newest master stays as long as it is in use: %v", err)
	}
}

// While the roster is forked, members use the master of the common parent, and
// afterwards that of the branch that was chosen.
func TestKeysOfForks(t *testing.T) {
	g := newGroup(t, spec{n: 1, m: 1, t: 1})
	a := g.seat(20, "a")
	g.entry([]Change{g.approved(Change{Kind: Add, Member: a.Member}, g.founders...)}, a)
	epoch := g.world.Epoch(g.now)
	common, err := a.ring.EpochKey(epoch)
	if err != nil {
		t.Fatal(err)
	}
	var branches []Entry
	var boxes []Boxes
	for i := range 2 {
		c := g.approved(Change{Kind: Add, Member: someone(30+i, "").Member}, g.founders...)
		e, b, err := g.roster.Propose(g.founders[0].key, []Change{c}, NoProviders{}, g.now)
		if err != nil {
			t.Fatal(err)
		}
		branches, boxes = append(branches, e), append(boxes, b)
	}
	for i, e := range branches {
		g.must(e, nil)
		if err := a.ring.Open(a.Key, boxes[i]); err != nil {
			t.Fatal(err)
		}
	}
	if k, err := a.ring.EpochKey(epoch); err != nil || !same(k, common) {
		t.Errorf("in a fork: %v, want the key of the parent", err)
	}
	c, err := g.roster.ProposeChoice(g.founders[0].key, branches[1].Hash())
	if err != nil {
		t.Fatal(err)
	}
	if err := g.roster.Choose(c); err != nil {
		t.Fatal(err)
	}
	want, err := OpenBox(g.world.ID, 3, a.ring.wrap, boxes[1].Sealed[indexOf(t, boxes[1], a.Key)].Box, branches[1].MasterHash)
	if err != nil {
		t.Fatal(err)
	}
	if k, err := a.ring.EpochKey(epoch); err != nil || !same(k, world.ControlPlaneKey(want, g.world.ID, epoch)) {
		t.Errorf("after the choice: %v, want the key of the branch that was chosen", err)
	}
}

func indexOf(t *testing.T, b Boxes, key Key) int {
	for i, s := range b.Sealed {
		if s.Key == key {
			return i
		}
	}
	t.Fatal("no box")
	return 0
}

func TestBox(t *testing.T) {
	p, other, id := someone(1, ""), someone(2, ""), world.Hash{1}
	master := world.RandomSecret()
	box, err := SealMaster(id, 7, p.Wrap, master)
	if err != nil {
		t.Fatal(err)
	}
	if len(box) != 80 {
		t.Errorf("a box has %d bytes, want 80", len(box))
	}
	name := masterHash(id, master)
	got, err := OpenBox(id, 7, p.wrap, box, name)
	if err != nil || !same(got, master) {
		t.Fatalf("OpenBox: %v", err)
	}
	again, err := SealMaster(id, 7, p.Wrap, master)
	if err != nil || again == box {
		t.Errorf("two boxes of one master are the same: %v", err)
	}
	refused := func(what string, err error) {
		t.Helper()
		if !errors.Is(err, ErrBox) {
			t.Errorf("%s: %v, want ErrBox", what, err)
		}
	}
	_, err = OpenBox(id, 8, p.wrap, box, name)
	refused("another generation", err)
	_, err = OpenBox(world.Hash{2}, 7, p.wrap, box, name)
	refused("another world", err)
	_, err = OpenBox(id, 7, other.wrap, box, name)
	refused("another member", err)
	_, err = OpenBox(id, 7, p.wrap, box, world.Hash{})
	refused("another master", err)
	_, err = OpenBox(id, 7, p.wrap, Box{}, name)
	refused("zeros", err)
	for bit := range len(box) * 8 { // X25519 ignores one of them, the key's derivation does not
		bad := box
		bad[bit/8] ^= 1 << (bit % 8)
		_, err = OpenBox(id, 7, p.wrap, bad, name)
		refused(fmt.Sprintf("bit %d", bit), err)
	}
	_, err = SealMaster(id, 7, [32]byte{}, master)
	wantError(t, err, ErrWrapKey)
}

func TestKeyFile(t *testing.T) {
	g := newGroup(t, spec{n: 1, m: 1, t: 1})
	a := g.seat(20, "a")
	g.entry([]Change{g.approved(Change{Kind: Add, Member: a.Member}, g.founders...)}, a)
	whole, err := os.ReadFile(a.path)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(a.path)
	if err != nil || info.Mode().Perm() != files.Private {
		t.Errorf("mode %v, %v, want 0600", info.Mode(), err)
	}
	for i := range whole {
		b := bytes.Clone(whole)
		b[i] ^= 4
		if err := os.WriteFile(a.path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenKeyring(a.path, g.roster); err == nil {
			t.Fatalf("a flipped bit in byte %d is not found", i)
		}
		if err := os.WriteFile(a.path, whole[:i], 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenKeyring(a.path, g.roster); err == nil {
			t.Fatalf("a file cut at byte %d is not found", i)
		}
	}
	if err := os.WriteFile(a.path, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(a.path, 0o644); err != nil {
		t.Fatal(err)
	}
	_, err = OpenKeyring(a.path, g.roster)
	wantError(t, err, files.ErrNotPrivate)
	_, err = OpenKeyring(filepath.Join(a.path, "x"), g.roster)
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a path that cannot be: %v", err)
	}

	// Nothing that could not be written is held.
	if err := os.Chmod(a.path, 0o600); err != nil {
		t.Fatal(err)
	}
	broken := &Keyring{path: filepath.Join(t.TempDir(), "gone", "group.keys"), roster: g.roster, wrap: a.ring.wrap}
	c := g.approved(Change{Kind: Add, Member: someone(30, "").Member}, g.founders...)
	e, boxes, err := g.roster.Propose(g.founders[0].key, []Change{c}, NoProviders{}, g.now)
	g.must(e, err)
	if err := broken.Open(a.Key, boxes); err == nil || broken.Has(e.Hash()) {
		t.Errorf("a master that is not on the disk is held: %v", err)
	}
}

// Whatever is printed of a keyring, no key is in it.
func TestSecretsAreNotPrinted(t *testing.T) {
	g := newGroup(t, spec{n: 1, m: 1, t: 1})
	a := g.seat(20, "a")
	g.entry([]Change{g.approved(Change{Kind: Add, Member: a.Member}, g.founders...)}, a)
	master := a.ring.masters[0].master.Reveal()
	wrap := a.ring.wrap.Bytes()
	key, err := a.ring.EpochKey(1)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	slog.New(slog.NewJSONHandler(&b, nil)).Info("keys", "ring", a.ring, "held", a.ring.masters[0], "key", key)
	for _, verb := range []string{"%v", "%+v", "%#v", "%x", "%s"} {
		fmt.Fprintf(&b, verb+"\n", a.ring.masters)
		fmt.Fprintf(&b, verb+"\n", key)
		fmt.Fprintf(&b, verb+"\n", a.ring)
	}
	for _, secret := range [][]byte{master[:], wrap} {
		for _, form := range []string{string(secret), fmt.Sprintf("%x", secret), fmt.Sprint(secret), fmt.Sprintf("%#v", secret)} {
			if bytes.Contains(b.Bytes(), []byte(form)) {
				t.Errorf("a secret is printed as %q", form)
			}
		}
	}
}
