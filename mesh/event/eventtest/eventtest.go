// Package eventtest has events for the tests of packages that read or print them:
// one of each type, the same in every run.
//
// All returns them by name; the other functions are what they are made of. It is
// for tests alone. Its functions may be called concurrently.
//
// Implements: docs/spec/event.md, as tests need it.
package eventtest

import (
	"bytes"
	"crypto/ed25519"
	"testing"

	"github.com/culvert-net/culvert/mesh/event"
	"github.com/culvert-net/culvert/mesh/world"
)

// Key is a signing key that is the same in every run.
func Key(seed byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, ed25519.SeedSize))
}

// Hash is 32 bytes of one value.
func Hash(fill byte) world.Hash { return world.Hash(bytes.Repeat([]byte{fill}, len(world.Hash{}))) }

// Place is the world and epoch of the events.
func Place() event.Place { return event.Place{WorldID: Hash(0x11), EpochID: 483_500} }

// Metrics has every field set.
func Metrics() event.Metrics {
	return event.Metrics{
		SuccessRate: 0.97, RefusalConsistency: 1, ToolFidelity: 0.5, LatencyP50: 420, LatencyP95: 1800,
		Robustness: 0.75, Drift: 0.125, Freshness: event.FreshWeak,
	}
}

// Descriptor is a signed one of the Place.
func Descriptor() world.Descriptor {
	return world.SignDescriptor(Key(9), world.DescriptorUnsigned{
		World: Place().WorldID, Epoch: Place().EpochID,
		ContactPoints: []string{"/ip4/192.0.2.1/tcp/4811", "seq:1"},
		Capability: world.Capability{Manifest: &world.CapabilityManifest{
			BaseModelID: "m", RuntimeID: "vllm", ContextLimit: 4096, SafetyMode: "standard",
		}},
	})
}

// All has one event of each type, with every optional field, and some without.
func All(t testing.TB) map[string]*event.Event {
	t.Helper()
	key, fah := Key(1), Hash(0x44)
	out := make(map[string]*event.Event)
	add := func(name string, e *event.Event, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		out[name] = e
	}
	receipt := event.Receipt{Place: Place(), Challenge: Hash(2), Target: Hash(3), Outcome: Hash(4)}
	e, err := event.SignReceipt(key, receipt)
	add("receipt", e, err)
	receipt.TargetFAH = &fah
	receipt.Ticket = &world.Ticket{Nonce: Hash(5), Anchor: []byte("anchor"), Output: Hash(6)}
	e, err = event.SignReceipt(key, receipt)
	add("receipt with options", e, err)

	attestation := event.Attestation{Place: Place(), Challenge: Hash(2), Target: Hash(3), Metrics: Metrics(), Evidence: Hash(4)}
	e, err = event.SignAttestation(key, attestation)
	add("attestation", e, err)
	attestation.TargetFAH, attestation.Anchor = &fah, []byte("block 77")
	e, err = event.SignAttestation(key, attestation)
	add("attestation with options", e, err)

	e, err = event.SignDispute(key, event.Dispute{Place: Place(), EventA: Hash(1), EventB: Hash(2), Reason: "same challenge, two outcomes"})
	add("dispute", e, err)
	e, err = event.SignLinkHint(key, event.LinkHint{Place: Place(), TargetA: Hash(1), TargetB: Hash(2), Evidence: Hash(3), Compatibility: 0.875})
	add("link hint", e, err)
	e, err = event.SignEndorsement(key, event.Endorsement{Place: Place(), Rules: Hash(1), Weight: 2.5})
	add("endorsement", e, err)
	e, err = event.PublishDescriptor(Descriptor())
	add("descriptor", e, err)
	e, err = event.SignShard(key, event.Shard{Place: Place(), Source: "probe", Payload: []byte("redacted")})
	add("shard", e, err)
	e, err = event.SignVerdict(key, event.Verdict{
		Place: Place(), Shard: Hash(1), Verdict: event.VerdictQuarantine, Reasons: []string{"zebra", "pii", "dup", "pii"},
	})
	add("verdict", e, err)
	e, err = event.SignManifest(key, event.Manifest{
		Place: Place(), BaseModel: "m", Artifact: Hash(1), Shards: []world.Hash{Hash(3), Hash(2), Hash(3)}, Method: "lora", EvalReport: Hash(4),
	})
	add("manifest", e, err)
	return out
}
