package gossip

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/binary"
	"path/filepath"
	"testing"
	"time"

	"github.com/culvert-net/culvert/mesh/event"
	"github.com/culvert-net/culvert/mesh/eventlog"
	"github.com/culvert-net/culvert/mesh/world"
)

// anybody is a world whose members are all.
type anybody struct{}

func (anybody) Member([32]byte, uint64) bool { return true }

// hours is a world with epochs of an hour.
func hours(t testing.TB) *world.World {
	t.Helper()
	w, err := world.New(world.World{Phrase: "gossip hours", Rules: world.DefaultRules()})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// stored gives a node a log on the disk.
func stored(t testing.TB, x *node, w *world.World) *Store {
	t.Helper()
	l, err := eventlog.Open(filepath.Join(t.TempDir(), "log.db"), eventlog.Config{World: w})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	s := &Store{Events: l, Admission: eventlog.NewAdmission(eventlog.AdmissionConfig{Log: l, Members: anybody{}})}
	x.World, x.Log = w, s
	return s
}

// disputes makes n signed events of an author, spread over the epochs before now.
func disputes(t testing.TB, w *world.World, author byte, n int, epochs uint64) [][]byte {
	t.Helper()
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{author}, ed25519.SeedSize))
	now := w.Epoch(time.Now())
	var out [][]byte
	for i := range uint64(n) {
		d := event.Dispute{Place: event.Place{WorldID: w.ID, EpochID: now - i%epochs}, Reason: "a test"}
		binary.LittleEndian.PutUint64(d.EventA[:], i)
		d.EventA[31] = 1
		d.EventB[0] = 1
		e, err := event.SignDispute(key, d)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, Pack(e, nil))
	}
	return out
}

func (s *Store) must(t testing.TB, events [][]byte, want int) {
	t.Helper()
	for len(events) > 0 {
		n := min(len(events), 4000)
		added, verdicts, err := s.Admit(context.Background(), events[:n], ViaSync)
		if err != nil || added != min(n, want) {
			t.Fatalf("%d of %d events added, %v, %+v", added, n, err, verdicts[0])
		}
		events = events[n:]
	}
}

// The session over logs on the disk.
func TestStore(t *testing.T) {
	w := hours(t)
	ab := nodes(t, 2)
	a, b := stored(t, ab[0], w), stored(t, ab[1], w)
	both, ours, theirs := disputes(t, w, 1, 900, 5), disputes(t, w, 2, 20, 5), disputes(t, w, 3, 30, 5)
	a.must(t, both, 900)
	b.must(t, both, 900)
	a.must(t, ours, 20)
	b.must(t, theirs, 30)
	r, other := ab[0].mustSync(t, ab[1])
	if r.Mode != ModeCells || r.Added != 30 || other.Added != 20 {
		t.Errorf("%+v and %+v", r, other)
	}
	if again, _ := ab[0].mustSync(t, ab[1]); again.Mode != ModeEqual {
		t.Errorf("again: %+v", again)
	}
}

// What admission says of an event, in our words: a sender is to blame for what
// every receiver sees, and for nothing else.
func TestStoreVerdicts(t *testing.T) {
	w := hours(t)
	s := stored(t, nodes(t, 1)[0], w)
	good := disputes(t, w, 1, 1, 1)[0]
	flipped := bytes.Clone(good)
	flipped[len(flipped)-2] ^= 1 // of the signature
	id := bytes.Clone(good)
	id[5] ^= 1
	key := ed25519.NewKeyFromSeed(make([]byte, 32))
	at := func(epoch uint64, id world.Hash) []byte {
		e, err := event.SignDispute(key, event.Dispute{Place: event.Place{WorldID: id, EpochID: epoch}, EventA: world.Hash{2}, EventB: world.Hash{1}, Reason: "x"})
		if err != nil {
			t.Fatal(err)
		}
		return Pack(e, nil)
	}
	now := w.Epoch(time.Now())
	said, err := event.PublishDescriptor(world.SignDescriptor(key, world.DescriptorUnsigned{
		World: w.ID, Epoch: now, ContactPoints: []string{"/ip4/192.0.2.1/tcp/4811"},
		Capability: world.Capability{Manifest: &world.CapabilityManifest{RuntimeID: "relay"}},
	}))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		b    []byte
		want Outcome
	}{
		{"good", good, Kept},
		{"nothing", nil, Bad},
		{"not packed", []byte{5, 1, 2}, Bad},
		{"a signature that is wrong", flipped, Bad},
		{"another id", id, Bad},
		{"another world", at(now, world.Hash{1}), Bad},
		{"a stamp that is wrong", Pack(said, world.Ticket{Nonce: world.Hash{1}}.Bytes()), Bad},
		{"yet to come", at(now+5, w.ID), Refused},
		{"too old", at(now-10_000, w.ID), Refused},
	} {
		outcome, fresh := s.Judge(tt.b)
		if outcome != tt.want || fresh != (tt.want == Kept) {
			t.Errorf("%s is judged %d, %v, want %d", tt.name, outcome, fresh, tt.want)
		}
		_, v, err := s.Admit(t.Context(), [][]byte{tt.b}, ViaSync)
		if err != nil || v[0].Outcome != tt.want {
			t.Errorf("%s is admitted as %+v, %v, want %d", tt.name, v, err, tt.want)
		}
	}
	if outcome, fresh := s.Judge(good); outcome != Kept || fresh {
		t.Errorf("what is there is judged %d, %v", outcome, fresh)
	}
	epoch := now
	ids, sum, err := s.Snapshot(epoch)
	if err != nil || len(ids) != 1 || sum.Count() != 1 {
		t.Fatalf("snapshot %x, %v", ids, err)
	}
	if b, err := s.Get(epoch, ids[0]); err != nil || !bytes.Equal(b, good) {
		t.Errorf("Get = %x, %v", b, err)
	}
	if b, err := s.Get(epoch, ID{1}); b != nil || err != nil {
		t.Errorf("Get of nothing = %x, %v", b, err)
	}
}

func FuzzUnpack(f *testing.F) {
	f.Add(disputes(f, hours(f), 1, 1, 1)[0])
	f.Add([]byte{0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		c, _, _, ok := unpack(b)
		if !ok {
			return
		}
		if e, err := event.Decode(c.Bytes); err == nil {
			var stamp []byte
			if c.Stamp != nil {
				stamp = c.Stamp.Bytes()
			}
			if !bytes.Equal(Pack(e, stamp), b) {
				t.Errorf("%x is packed otherwise", b)
			}
		}
	})
}

// BenchmarkCold fetches a log of 100,000 signed events into an empty one, both on
// the disk: every signature is verified, every event stored durably.
func BenchmarkCold(b *testing.B) {
	w := hours(b)
	ab := nodes(b, 2)
	full := stored(b, ab[1], w)
	const n = 100_000
	full.must(b, disputes(b, w, 1, n, 300), n)
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		stored(b, ab[0], w)
		b.StartTimer()
		added := 0
		for {
			r, _ := ab[0].mustSync(b, ab[1])
			added += r.Added
			if !r.Left {
				break
			}
		}
		if added != n {
			b.Fatalf("%d events", added)
		}
	}
}
