package eventform

import (
	"bytes"
	"crypto/ed25519"
	"strings"
	"testing"

	"github.com/culvert-net/culvert/mesh/event"
	"github.com/culvert-net/culvert/mesh/world"
)

func testKey(seed byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, ed25519.SeedSize))
}

func filled(fill byte) world.Hash {
	return world.Hash(bytes.Repeat([]byte{fill}, len(world.Hash{})))
}

func place() event.Place { return event.Place{WorldID: filled(0x11), EpochID: 483_500} }

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
	key, fah := testKey(1), filled(0x44)
	out := make(map[string]*event.Event)
	add := func(name string, e *event.Event, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		out[name] = e
	}
	receipt := event.Receipt{Place: place(), Challenge: filled(2), Target: filled(3), Outcome: filled(4)}
	e, err := event.SignReceipt(key, receipt)
	add("receipt", e, err)
	receipt.TargetFAH = &fah
	receipt.Ticket = &world.Ticket{Nonce: filled(5), Anchor: []byte("anchor"), Output: filled(6)}
	e, err = event.SignReceipt(key, receipt)
	add("receipt with options", e, err)

	attestation := event.Attestation{Place: place(), Challenge: filled(2), Target: filled(3), Metrics: metrics(), Evidence: filled(4)}
	e, err = event.SignAttestation(key, attestation)
	add("attestation", e, err)
	attestation.TargetFAH, attestation.Anchor = &fah, []byte("block 77")
	e, err = event.SignAttestation(key, attestation)
	add("attestation with options", e, err)

	e, err = event.SignDispute(key, event.Dispute{Place: place(), EventA: filled(1), EventB: filled(2), Reason: "same challenge, two outcomes"})
	add("dispute", e, err)
	e, err = event.SignLinkHint(key, event.LinkHint{Place: place(), TargetA: filled(1), TargetB: filled(2), Evidence: filled(3), Compatibility: 0.875})
	add("link hint", e, err)
	e, err = event.SignEndorsement(key, event.Endorsement{Place: place(), Rules: filled(1), Weight: 2.5})
	add("endorsement", e, err)
	e, err = event.PublishDescriptor(descriptor())
	add("descriptor", e, err)
	e, err = event.SignShard(key, event.Shard{Place: place(), Source: "probe", Payload: []byte("redacted")})
	add("shard", e, err)
	e, err = event.SignVerdict(key, event.Verdict{
		Place: place(), Shard: filled(1), Verdict: event.VerdictQuarantine, Reasons: []string{"zebra", "pii", "dup", "pii"},
	})
	add("verdict", e, err)
	e, err = event.SignManifest(key, event.Manifest{
		Place: place(), BaseModel: "m", Artifact: filled(1), Shards: []world.Hash{filled(3), filled(2), filled(3)}, Method: "lora", EvalReport: filled(4),
	})
	add("manifest", e, err)
	return out
}

// Every event comes back from JSON as the bytes it was.
func TestRoundTrip(t *testing.T) {
	for name, e := range all(t) {
		for _, stamp := range [][]byte{nil, []byte("a ticket")} {
			x := Export{Canonical: e.Canonical(), Stamp: stamp}
			text, err := ToJSON(x)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			back, err := FromJSON(text)
			if err != nil || !bytes.Equal(back.Canonical, x.Canonical) || !bytes.Equal(back.Stamp, stamp) {
				t.Errorf("%s: JSON %s came back as another event, %v", name, text, err)
			}
			if got, err := event.Decode(back.Canonical); err != nil || got.ID != e.ID {
				t.Errorf("%s: what came back is no event: %v", name, err)
			}
		}
	}
}

// JSON has the fields' names and no place for what is not there.
func TestJSON(t *testing.T) {
	e := all(t)["receipt"]
	text, err := ToJSON(Export{Canonical: e.Canonical()})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`{"event":{"event_id":"` + e.ID.String() + `","world":"1111`, `"type":"receipt","body":{"receipt":{"receipt_id":"`, `"epoch":483500,`} {
		if !strings.Contains(string(text), want) {
			t.Errorf("JSON = %s; want %s", text, want)
		}
	}
	if strings.Contains(string(text), "null") || strings.Contains(string(text), "stamp") || strings.Contains(string(text), "target_fah") {
		t.Errorf("JSON = %s; want no field for what is not there", text)
	}
	for _, change := range [][2]string{
		{`"epoch":483500`, `"epoch":-1`},
		{`"epoch":483500`, `"epoch":483500,"score":1`},
		{`"type":"receipt"`, `"type":"verdicts"`},
		{`"world":"11`, `"world":"1`},
		{`"receipt":{`, `"receipts":{`},
		{`"key":"`, `"keys":"`},
		{`{"event":`, `{"events":`},
	} {
		bad := strings.Replace(string(text), change[0], change[1], 1)
		if bad == string(text) {
			t.Fatalf("%q is not in %s", change[0], text)
		}
		if _, err := FromJSON([]byte(bad)); err == nil {
			t.Errorf("%s was read", bad)
		}
	}
}

func FuzzFromJSON(f *testing.F) {
	for _, e := range all(f) {
		text, err := ToJSON(Export{Canonical: e.Canonical()})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		x, err := FromJSON(text)
		if err != nil {
			return
		}
		// What canonical bytes cannot say, such as a list out of order, is found by
		// event.Decode; what it accepts comes back.
		if _, err := event.Decode(x.Canonical); err != nil {
			return
		}
		out, err := ToJSON(x)
		if err != nil {
			t.Fatal(err)
		}
		if y, err := FromJSON(out); err != nil || !bytes.Equal(y.Canonical, x.Canonical) {
			t.Errorf("%s came back as another, %v", out, err)
		}
	})
}
