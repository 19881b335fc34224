package eventform

// The table: every field of every event in canonical order (docs/spec/event.md
// section 3).

func of(k kind) shape                  { return shape{kind: k} }
func bytesOf(n int) shape              { return shape{kind: fixed, size: n} }
func recordOf(fields ...field) shape   { return shape{kind: record, fields: fields} }
func choiceOf(fields ...field) shape   { return shape{kind: choice, fields: fields} }
func wordOf(words ...string) shape     { return shape{kind: word, words: words} }
func optionOf(s shape) shape           { return shape{kind: option, item: &s} }
func listOf(s shape) shape             { return shape{kind: list, item: &s} }
func named(name string, s shape) field { return field{name, s} }
func signed(fields ...field) shape {
	return recordOf(append(fields, named("key", of(vector)), named("signature", of(vector)))...)
}
func hash(name string) field { return named(name, bytesOf(32)) }
func placed(fields ...field) []field {
	return append([]field{hash("world"), named("epoch", of(number64))}, fields...)
}
func behind(f field, more []field) []field { return append([]field{f}, more...) }

// eventShape is an event.
func eventShape() shape {
	ticket := recordOf(named("ticket", of(vector)), named("n", of(number32)), named("r", of(number32)), named("p", of(number32)))
	metrics := recordOf(
		named("success_rate", of(float)), named("refusal_consistency", of(float)), named("tool_fidelity", of(float)),
		named("latency_p50_ms", of(number32)), named("latency_p95_ms", of(number32)),
		named("robustness_score", of(float)), named("drift_indicator", of(float)), named("freshness", wordOf("none", "weak", "strong")),
	)
	return recordOf(
		hash("event_id"), hash("world"), named("epoch", of(number64)),
		named("type", wordOf("unspecified", "receipt", "attestation", "dispute", "link-hint", "endorsement", "shard", "verdict", "manifest", "descriptor")),
		named("body", choiceOf(
			named("receipt", signed(behind(hash("receipt_id"), placed(hash("challenge_id"), hash("target_ref"),
				named("target_fah", optionOf(bytesOf(32))), hash("outcome_commitment"), named("ticket", optionOf(ticket))))...)),
			named("attestation", signed(behind(hash("attestation_id"), placed(hash("challenge_id"), hash("target_ref"),
				named("target_fah", optionOf(bytesOf(32))), named("metrics", metrics), hash("evidence_commitment"),
				named("freshness_anchor", optionOf(of(vector)))))...)),
			named("dispute", signed(placed(hash("event_a"), hash("event_b"), named("reason", of(text)))...)),
			named("link_hint", signed(placed(hash("target_a"), hash("target_b"), hash("evidence_commitment"), named("compatibility_score", of(float)))...)),
			named("endorsement", signed(placed(hash("rule_bundle_hash"), named("weight", of(float)))...)),
			named("descriptor", recordOf(placed(named("descriptor", descriptorShape()))...)),
			named("shard", signed(hash("shard_id"), named("source_type", of(text)), named("redacted_payload", of(vector)), hash("payload_digest"))),
			named("verdict", signed(placed(hash("shard_id"), named("verdict", of(text)), named("reasons", listOf(of(text))))...)),
			named("manifest", signed(hash("manifest_id"), named("base_model_id", of(text)), hash("model_artifact_digest"),
				named("shard_ids", listOf(bytesOf(32))), named("method", of(text)), hash("eval_report_digest"))),
		)),
	)
}

func descriptorShape() shape {
	adapter := recordOf(named("adapter_type", of(text)), named("adapter_id", of(text)), hash("adapter_digest"))
	manifest := recordOf(
		named("base_model_id", of(text)), hash("weights_digest"), named("runtime_id", of(text)), named("context_limit", of(number32)),
		hash("tool_schemas_digest"), named("safety_mode", of(text)), named("adapters", listOf(adapter)),
	)
	return recordOf(
		hash("descriptor_id"),
		named("unsigned", recordOf(hash("world"), named("descriptor_epoch", of(number64)), named("contact_points", listOf(of(text))),
			named("capability", choiceOf(named("fah", bytesOf(32)), named("manifest", manifest))))),
		named("provider_transport_pubkey", of(vector)), named("signature", of(vector)),
	)
}

// exported is an event and the stamp that a descriptor came with.
func exported() shape {
	return recordOf(named("event", eventShape()), named("stamp", optionOf(of(vector))))
}
