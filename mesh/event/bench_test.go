package event_test

import (
	"testing"

	"github.com/culvert-net/culvert/mesh/event"
	"github.com/culvert-net/culvert/mesh/event/eventtest"
)

// The kinds that most events are, and the largest.
func benchKinds() []string {
	return []string{"receipt with options", "attestation with options", "descriptor", "largest shard"}
}

func benchEvents(b *testing.B) map[string]*event.Event {
	b.Helper()
	events := eventtest.All(b)
	shard, err := event.SignShard(eventtest.Key(1), event.Shard{Place: eventtest.Place(), Payload: make([]byte, event.MaxPayload)})
	if err != nil {
		b.Fatal(err)
	}
	events["largest shard"] = shard
	return events
}

// A log that starts cold decodes and verifies a hundred thousand events. The
// numbers are those of 2026-11; more wants a reason.
func TestAllocations(t *testing.T) {
	for name, c := range map[string]struct{ decode, verify float64 }{
		"receipt with options":     {11, 11},
		"attestation with options": {8, 9},
		"descriptor":               {15, 10},
	} {
		e := eventtest.All(t)[name]
		in := e.Canonical()
		if n := testing.AllocsPerRun(100, func() { _, _ = event.Decode(in) }); n > c.decode {
			t.Errorf("decoding a %s allocates %v times, and not %v", name, n, c.decode)
		}
		if n := testing.AllocsPerRun(100, func() { _ = e.Verify() }); n > c.verify {
			t.Errorf("verifying a %s allocates %v times, and not %v", name, n, c.verify)
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	events := benchEvents(b)
	for _, kind := range benchKinds() {
		b.Run(kind, func(b *testing.B) {
			in := events[kind].Canonical()
			b.SetBytes(int64(len(in)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := event.Decode(in); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkVerify(b *testing.B) {
	events := benchEvents(b)
	for _, kind := range benchKinds() {
		b.Run(kind, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := events[kind].Verify(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkCanonical(b *testing.B) {
	events := benchEvents(b)
	for _, kind := range benchKinds() {
		b.Run(kind, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				events[kind].Canonical()
			}
		})
	}
}
