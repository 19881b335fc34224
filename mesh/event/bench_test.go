package event_test

import (
	"testing"

	"github.com/culvert-net/culvert/mesh/event"
)

// The kinds that most events are, and the largest.
func benchKinds() []string {
	return []string{"receipt with options", "attestation with options", "descriptor", "largest shard"}
}

func benchEvents(b *testing.B) map[string]*event.Event {
	b.Helper()
	events := all(b)
	shard, err := event.SignShard(testKey(1), event.Shard{Place: place(), Payload: make([]byte, event.MaxPayload)})
	if err != nil {
		b.Fatal(err)
	}
	events["largest shard"] = shard
	return events
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
