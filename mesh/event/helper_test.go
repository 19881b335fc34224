package event_test

import (
	"bytes"
	"crypto/ed25519"
	"testing"

	"github.com/culvert-net/culvert/mesh/event"
	"github.com/culvert-net/culvert/mesh/world"
)

func testKey(seed byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, ed25519.SeedSize))
}

func hash(fill byte) world.Hash { return world.Hash(bytes.Repeat([]byte{fill}, len(world.Hash{}))) }

func place() event.Place { return event.Place{WorldID: hash(0x11), EpochID: 483_500} }

func metrics() event.Metrics {
	return event.Metrics{
		SuccessRate: 0.97, RefusalConsistency: 1, ToolFidelity: 0.5, LatencyP50: 420, LatencyP95: 1800,
		Robustness: 0.75, Drift: 0.125, Freshness: event.FreshWeak,
	}
}

func descriptor() world.Descriptor {
	return world.SignDescriptor(testKey(9), world.DescriptorUnsigned{
		World: place().WorldID, Epoch: place().EpochID,
		ContactPoints: []string{"/ip4/192.0.2.1/tcp/4811", "seq:1"},
		Capability: world.Capability{Manifest: &world.CapabilityManifest{
			BaseModelID: "m", RuntimeID: "vllm", ContextLimit: 4096, SafetyMode: "standard",
		}},
	})
}

// all has one event of each type, with every optional field, and some without.
func all(t testing.TB) map[string]*event.Event {
	t.Helper()
	key, fah := testKey(1), hash(0x44)
	out := make(map[string]*event.Event)
	add := func(name string, e *event.Event, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		out[name] = e
	}
	receipt := event.Receipt{Place: place(), Challenge: hash(2), Target: hash(3), Outcome: hash(4)}
	e, err := event.SignReceipt(key, receipt)
	add("receipt", e, err)
	receipt.TargetFAH = &fah
	receipt.Ticket = &world.Ticket{Nonce: hash(5), Anchor: []byte("anchor"), Output: hash(6)}
	e, err = event.SignReceipt(key, receipt)
	add("receipt with options", e, err)

	attestation := event.Attestation{Place: place(), Challenge: hash(2), Target: hash(3), Metrics: metrics(), Evidence: hash(4)}
	e, err = event.SignAttestation(key, attestation)
	add("attestation", e, err)
	attestation.TargetFAH, attestation.Anchor = &fah, []byte("block 77")
	e, err = event.SignAttestation(key, attestation)
	add("attestation with options", e, err)

	e, err = event.SignDispute(key, event.Dispute{Place: place(), EventA: hash(1), EventB: hash(2), Reason: "same challenge, two outcomes"})
	add("dispute", e, err)
	e, err = event.SignLinkHint(key, event.LinkHint{Place: place(), TargetA: hash(1), TargetB: hash(2), Evidence: hash(3), Compatibility: 0.875})
	add("link hint", e, err)
	e, err = event.SignEndorsement(key, event.Endorsement{Place: place(), Rules: hash(1), Weight: 2.5})
	add("endorsement", e, err)
	e, err = event.PublishDescriptor(descriptor())
	add("descriptor", e, err)
	e, err = event.SignShard(key, event.Shard{Place: place(), Source: "probe", Payload: []byte("redacted")})
	add("shard", e, err)
	e, err = event.SignVerdict(key, event.Verdict{
		Place: place(), Shard: hash(1), Verdict: event.VerdictQuarantine, Reasons: []string{"zebra", "pii", "dup", "pii"},
	})
	add("verdict", e, err)
	e, err = event.SignManifest(key, event.Manifest{
		Place: place(), BaseModel: "m", Artifact: hash(1), Shards: []world.Hash{hash(3), hash(2), hash(3)}, Method: "lora", EvalReport: hash(4),
	})
	add("manifest", e, err)
	return out
}
