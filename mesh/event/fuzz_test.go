package event

import (
	"bytes"
	"testing"

	"github.com/culvert-net/culvert/mesh/world"
	"github.com/culvert-net/culvert/mesh/world/postcard"
)

// The targets of bodies are in the package: an event's id is a hash, so that
// what a fuzzer makes of a whole event never gets beyond its envelope.

// body fuzzes the reader of one kind of body: what it accepts encodes to the
// same bytes again, and may be looked at in every way an event can.
func body(f *testing.F, seeds ...Body) {
	for _, s := range seeds {
		f.Add(s.Canonical())
	}
	place := Place{WorldID: world.Hash{1}, EpochID: 7}
	f.Fuzz(func(t *testing.T, in []byte) {
		d := postcard.NewDecoder(in)
		b := readBody(d, place)
		if d.Finish() != nil {
			return
		}
		if b.bounds() != nil {
			return // floats are in range, so what follows cannot meet a NaN
		}
		if out := b.Canonical(); !bytes.Equal(out, in) {
			t.Errorf("%x decodes and encodes to %x", in, out)
		}
		_ = b.verify(standard) // must not panic; no fuzzer signs
		e := New(b)
		whole, err := Decode(e.Canonical())
		if (err == nil) != (b.ids() == nil && len(e.Canonical()) <= MaxEvent) {
			t.Errorf("the body of %x is good, the event: %v", in, err)
		}
		if err == nil && whole.ID != e.ID {
			t.Errorf("the event of %x changes its id", in)
		}
	})
}

func FuzzReceipt(f *testing.F) {
	fah := world.Hash{4}
	body(f, &Receipt{}, &Receipt{TargetFAH: &fah, Ticket: &world.Ticket{Anchor: []byte("a")}})
}

func FuzzAttestation(f *testing.F) {
	fah := world.Hash{4}
	body(f, &Attestation{}, &Attestation{
		TargetFAH: &fah, Anchor: []byte("a"),
		Metrics: Metrics{SuccessRate: 1, LatencyP50: 1, LatencyP95: 300, Drift: 0.5, Freshness: FreshStrong},
	})
}

func FuzzDispute(f *testing.F) { body(f, &Dispute{EventA: world.Hash{1}, Reason: "why"}) }

func FuzzLinkHint(f *testing.F) { body(f, &LinkHint{TargetA: world.Hash{1}, Compatibility: 0.5}) }

func FuzzEndorsement(f *testing.F) { body(f, &Endorsement{Weight: 1}) }

func FuzzDescriptorPublish(f *testing.F) {
	d := world.Descriptor{DescriptorUnsigned: world.DescriptorUnsigned{ContactPoints: []string{"a", "b"}}}
	body(f, &DescriptorPublish{Descriptor: d})
}

func FuzzShard(f *testing.F) { body(f, &Shard{Source: "probe", Payload: []byte("text")}) }

func FuzzVerdict(f *testing.F) {
	body(f, &Verdict{Verdict: VerdictAccept, Reasons: []string{"", "a", "bb"}})
}

func FuzzManifest(f *testing.F) {
	body(f, &Manifest{BaseModel: "m", Shards: []world.Hash{{1}, {2}}, Method: "lora"})
}

func FuzzMetrics(f *testing.F) {
	f.Add(Metrics{SuccessRate: 1, LatencyP50: 1, LatencyP95: 300, Freshness: FreshWeak}.Canonical())
	f.Fuzz(func(t *testing.T, in []byte) {
		m, err := DecodeMetrics(in)
		if err != nil {
			return
		}
		if out := m.Canonical(); !bytes.Equal(out, in) {
			t.Errorf("%x decodes and encodes to %x", in, out)
		}
		if m.Check() == nil && m.Aggregate().Check() != nil {
			t.Errorf("%+v is in bounds, and rounded is not", m)
		}
	})
}

// FuzzEvent feeds whole events: no panic, and what is accepted is canonical.
func FuzzEvent(f *testing.F) {
	for _, b := range []Body{
		&Receipt{}, &Dispute{EventA: world.Hash{1}}, &Shard{Digest: world.Sum(nil)}, &Verdict{Verdict: VerdictReject},
	} {
		if s, ok := b.(signable); ok && s.carried() != nil {
			*s.carried() = world.Sum(s.unsigned())
		}
		f.Add(New(b).Canonical())
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		e, err := Decode(in)
		if err != nil {
			return
		}
		if out := e.Canonical(); !bytes.Equal(out, in) {
			t.Errorf("%x decodes and encodes to %x", in, out)
		}
	})
}
