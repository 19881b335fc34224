package protobuf_test

import (
	"fmt"
	"strings"

	"github.com/culvert-net/culvert/mesh/event"
	"github.com/culvert-net/culvert/mesh/world"
)

// text writes events in protobuf's text format, by the names of event.proto and
// without the product's tables: protoc makes of it the bytes that are compared.
type text struct{ strings.Builder }

func (t *text) bytes(name string, b []byte) {
	fmt.Fprintf(t, "%s: \"", name)
	for _, c := range b {
		fmt.Fprintf(t, "\\x%02x", c)
	}
	t.WriteString("\"\n")
}

func (t *text) line(format string, args ...any) { fmt.Fprintf(t, format+"\n", args...) }

func (t *text) message(name string, content func()) {
	t.line("%s {", name)
	content()
	t.line("}")
}

func (t *text) bytes32(name string, h world.Hash) {
	t.message(name, func() { t.bytes("v", h[:]) })
}

func (t *text) hash(name string, h world.Hash) {
	t.message(name, func() { t.bytes32("h", h) })
}

func (t *text) place(p event.Place) {
	t.hash("world", p.WorldID)
	t.line("epoch_id: %d", p.EpochID)
}

func (t *text) signed(s event.Signed) {
	t.bytes("key", s.Key[:])
	t.bytes("signature", s.Signature[:])
}

func textOf(e *event.Event) string {
	t := new(text)
	t.hash("event_id", e.ID)
	t.line("type: %s", strings.ToUpper(strings.ReplaceAll(name(e.Type()), "-", "_")))
	if e.Type() == event.TypeShard || e.Type() == event.TypeManifest {
		t.place(event.Place{WorldID: e.World(), EpochID: e.Epoch()})
	}
	t.message(name(e.Type()), func() { t.body(e.Body) })
	return t.String()
}

// name is the name of the body's field.
func name(t event.Type) string {
	return map[event.Type]string{
		event.TypeReceipt: "receipt", event.TypeAttestation: "attestation", event.TypeDispute: "dispute", event.TypeLinkHint: "link_hint",
		event.TypeEndorsement: "rule_endorsement", event.TypeShard: "shard", event.TypeVerdict: "verdict",
		event.TypeManifest: "training_manifest", event.TypeDescriptor: "descriptor_publish",
	}[t]
}

func (t *text) body(body event.Body) {
	switch b := body.(type) {
	case *event.Receipt:
		t.hash("receipt_id", b.ID)
		t.place(b.Place)
		t.hash("challenge_id", b.Challenge)
		t.hash("target_ref", b.Target)
		if b.TargetFAH != nil {
			t.hash("target_fah", *b.TargetFAH)
		}
		t.hash("outcome_commitment", b.Outcome)
		if b.Ticket != nil {
			t.message("ticket", func() {
				t.bytes("ticket", b.Ticket.Bytes())
				t.line("n: 16384 r: 8 p: 1")
			})
		}
		t.signed(b.Signed)
	case *event.Attestation:
		t.hash("attestation_id", b.ID)
		t.place(b.Place)
		t.hash("challenge_id", b.Challenge)
		t.hash("target_ref", b.Target)
		if b.TargetFAH != nil {
			t.hash("target_fah", *b.TargetFAH)
		}
		t.message("metrics", func() { t.metrics(b.Metrics) })
		t.hash("evidence_commitment", b.Evidence)
		if len(b.Anchor) > 0 {
			t.bytes("freshness_anchor", b.Anchor)
		}
		t.signed(b.Signed)
	case *event.Dispute:
		t.place(b.Place)
		t.hash("event_a", b.EventA)
		t.hash("event_b", b.EventB)
		t.bytes("reason", []byte(b.Reason))
		t.signed(b.Signed)
	case *event.LinkHint:
		t.place(b.Place)
		t.hash("target_a", b.TargetA)
		t.hash("target_b", b.TargetB)
		t.hash("evidence_commitment", b.Evidence)
		t.line("compatibility_score: %v", b.Compatibility)
		t.signed(b.Signed)
	case *event.Endorsement:
		t.place(b.Place)
		t.bytes32("rule_bundle_hash", b.Rules)
		t.line("weight: %v", b.Weight)
		t.signed(b.Signed)
	case *event.Shard:
		t.bytes32("shard_id", b.ID)
		t.bytes("source_type", []byte(b.Source))
		t.bytes("redacted_payload", b.Payload)
		t.bytes32("payload_digest", b.Digest)
		t.signed(b.Signed)
	case *event.Verdict:
		t.place(b.Place)
		t.bytes32("shard_id", b.Shard)
		t.bytes("verdict", []byte(b.Verdict))
		for _, r := range b.Reasons {
			t.bytes("reasons", []byte(r))
		}
		t.signed(b.Signed)
	case *event.Manifest:
		t.bytes32("manifest_id", b.ID)
		t.bytes("base_model_id", []byte(b.BaseModel))
		t.bytes32("model_artifact_digest", b.Artifact)
		for _, s := range b.Shards {
			t.bytes32("shard_ids", s)
		}
		t.bytes("method", []byte(b.Method))
		t.bytes("eval_report_digest", b.EvalReport[:])
		t.signed(b.Signed)
	case *event.DescriptorPublish:
		t.place(b.Place)
		t.message("descriptor", func() { t.descriptor(b.Descriptor) })
	}
}

func (t *text) metrics(m event.Metrics) {
	t.line("success_rate: %v refusal_consistency: %v tool_fidelity: %v", m.SuccessRate, m.RefusalConsistency, m.ToolFidelity)
	t.line("latency_p50_ms: %d latency_p95_ms: %d", m.LatencyP50, m.LatencyP95)
	t.line("robustness_score: %v drift_indicator: %v freshness: %d", m.Robustness, m.Drift, m.Freshness)
}

func (t *text) descriptor(d world.Descriptor) {
	t.hash("descriptor_id", d.ID)
	t.message("unsigned", func() {
		u := d.DescriptorUnsigned
		t.hash("world", u.World)
		t.line("descriptor_epoch: %d", u.Epoch)
		for _, p := range u.ContactPoints {
			t.bytes("contact_points", []byte(p))
		}
		if u.Capability.Manifest == nil {
			t.hash("fah", u.Capability.FAH)
			return
		}
		t.message("capability_manifest", func() { t.manifest(*u.Capability.Manifest) })
	})
	t.bytes("key", d.Key[:])
	t.bytes("signature", d.Signature[:])
}

func (t *text) manifest(m world.CapabilityManifest) {
	t.bytes("base_model_id", []byte(m.BaseModelID))
	t.bytes32("weights_digest", m.WeightsDigest)
	t.bytes("runtime_id", []byte(m.RuntimeID))
	t.line("context_limit: %d", m.ContextLimit)
	t.bytes32("tool_schemas_digest", m.ToolSchemasDigest)
	t.bytes("safety_mode", []byte(m.SafetyMode))
	for _, a := range m.Adapters {
		t.message("adapters", func() {
			t.bytes("adapter_id", []byte(a.ID))
			t.bytes32("adapter_digest", a.Digest)
			t.bytes("adapter_type", []byte(a.Type))
		})
	}
}
