package eventlog

import (
	"context"
	"crypto/ed25519"
	"encoding/binary"
	"path/filepath"
	"testing"
	"time"

	"github.com/culvert-net/culvert/mesh/event"
	"github.com/culvert-net/culvert/mesh/world"
)

// key is the key of the n-th author.
func key(n int) ed25519.PrivateKey {
	var seed [ed25519.SeedSize]byte
	binary.LittleEndian.PutUint64(seed[:], uint64(n)+1)
	return ed25519.NewKeyFromSeed(seed[:])
}

func public(n int) [32]byte { return [32]byte(key(n).Public().(ed25519.PublicKey)) }

// terms are what tests change of a world.
type terms struct {
	quota, ticketBits uint32
	horizon           time.Duration // 0: six epochs of an hour
}

func testWorld(tb testing.TB, x terms) *world.World {
	tb.Helper()
	rules := world.DefaultRules()
	rules.EpochLenMS = uint64(time.Hour / time.Millisecond)
	if x.horizon == 0 {
		x.horizon = 6 * time.Hour
	}
	founder := [][32]byte{public(1000)}
	w, err := world.New(world.World{Phrase: "log test", Rules: rules, Charter: &world.Charter{
		Version: 1, Founders: founder, FounderThreshold: 1, DirectorySigners: founder, DirectoryThreshold: 1,
		CircuitSuite: world.CircuitSuite, EventHorizonS: uint64(x.horizon / time.Second),
		QuotaPerAuthor: x.quota, TicketBits: x.ticketBits,
	}})
	if err != nil {
		tb.Fatal(err)
	}
	return w
}

// someEpoch is when most tests take place, in the middle of an epoch.
const someEpoch = 490_000

func midOf(w *world.World, epoch uint64) time.Time {
	return w.EpochStart(epoch).Add(w.EpochLen() / 2)
}

// receipt is the n-th receipt of an author in an epoch, about one of a few
// targets.
func receipt(tb testing.TB, w *world.World, epoch uint64, author, n int) *event.Event {
	tb.Helper()
	r := event.Receipt{Place: event.Place{WorldID: w.ID, EpochID: epoch}, Target: target(n % 7)}
	binary.LittleEndian.PutUint64(r.Challenge[:], uint64(n))
	e, err := event.SignReceipt(key(author), r)
	if err != nil {
		tb.Fatal(err)
	}
	return e
}

func target(n int) world.Hash { return world.Hash{0: byte(n), 31: 1} }

// descriptor is the n-th descriptor of a node in an epoch.
func descriptor(tb testing.TB, w *world.World, epoch uint64, author, n int) *event.Event {
	tb.Helper()
	d := world.SignDescriptor(key(author), world.DescriptorUnsigned{
		World: w.ID, Epoch: epoch, ContactPoints: []string{"/ip4/192.0.2.1/tcp/4811"},
		Capability: world.Capability{Manifest: &world.CapabilityManifest{
			BaseModelID: "m", RuntimeID: "vllm", ContextLimit: uint32(n), SafetyMode: "standard",
		}},
	})
	e, err := event.PublishDescriptor(d)
	if err != nil {
		tb.Fatal(err)
	}
	return e
}

func open(tb testing.TB, path string, cfg Config) *Log {
	tb.Helper()
	l, err := Open(path, cfg)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := l.Close(); err != nil {
			tb.Error(err)
		}
	})
	return l
}

// fresh is an empty log.
func fresh(tb testing.TB, w *world.World) *Log {
	tb.Helper()
	return open(tb, filepath.Join(tb.TempDir(), "log.db"), Config{World: w})
}

// add adds events that must all be taken.
func add(tb testing.TB, l *Log, now time.Time, events ...*event.Event) {
	tb.Helper()
	r, err := l.Add(context.Background(), events, ViaSync, now)
	if err != nil || r.Added != len(events) {
		tb.Fatalf("Add = %+v, %v; want %d added", r, err, len(events))
	}
}

// whole fails the test unless everything recounts as it is stored.
func whole(tb testing.TB, l *Log) Report {
	tb.Helper()
	r, err := l.Check(true)
	if err != nil || len(r.Problems) > 0 {
		tb.Fatalf("Check = %+v, %v; want no problem", r, err)
	}
	return r
}

// members are authors who belong to the world, in every epoch.
type members map[[32]byte]bool

func (m members) Member(key [32]byte, _ uint64) bool { return m[key] }

// authors are the first n.
func authors(n int) members {
	m := make(members)
	for i := range n {
		m[public(i)] = true
	}
	return m
}
