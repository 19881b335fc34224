package vectors

import (
	"bytes"
	"math"

	"github.com/culvert-net/culvert/mesh/world"
)

// fill is a hash of one byte over and over.
func fill(b byte) world.Hash { return world.Hash(bytes.Repeat([]byte{b}, len(world.Hash{}))) }

func pointer[T any](v T) *T { return &v }

// inWorld is the world of most examples, someEpoch an epoch of an hour in 2026.
const someEpoch = number(498_528)

func inWorld() world.Hash { return fill(0x22) }

func author(seed byte) authorIn {
	return authorIn{Seed: fill(seed), World: inWorld(), Epoch: someEpoch}
}

// examples are our vectors that something accepts, kind after kind.
func examples() []example {
	list := nameExamples()
	list = append(list, worldExamples()...)
	list = append(list, secretExamples()...)
	list = append(list, eventExamples()...)
	list = append(list, statementExamples()...)
	return append(list, rosterExamples()...)
}

// nameExamples are of the kinds the reference has.
func nameExamples() []example {
	rules := exampleRules()
	extreme := rulesIn{
		Version: math.MaxUint32, EpochLenMS: 604_800_000, ExplorationRate: 1, DisagreementQuarantineThresh: 0,
		MinDiverseProbers: 127, MaxProbeRedundancy: 128, DefaultCircuitLen: 5, RelayBatchMaxDelayMS: 16_384, FixedCellBytes: 4096,
		WSuccess: 100, WToolFidelity: math.Nextafter(0.1, 1), WLatency: math.SmallestNonzeroFloat64, WRefusalConsistency: 1. / 3,
	}
	manifest := exampleManifest()
	return []example{
		{"world_id", "world_id_derivation", worldIDIn{Phrase: "  Test\tWorld ALPHA ", Rules: rules}},
		{"world_id_of_extremes", "world_id_derivation", worldIDIn{Phrase: "a-1", Rules: extreme}},
		{"rule_bundle", "rule_bundle_hash", extreme},
		{"fah", "fah_derivation", manifest},
		{"fah_of_a_relay", "fah_derivation", manifestIn{RuntimeID: "relay", SafetyMode: "", Adapters: []adapterIn{}}},
		{"descriptor_id_of_a_fah", "descriptor_id_derivation", unsignedIn{
			World: inWorld(), Epoch: someEpoch, ContactPoints: []string{"/ip4/192.0.2.1/tcp/4811", "seq:1", "/dns4/a.example/tcp/4811", "seq:1"},
			Capability: capabilityIn{FAH: pointer(fill(0x55))},
		}},
		{"descriptor_id_of_a_manifest", "descriptor_id_derivation", unsignedIn{
			World: inWorld(), Epoch: math.MaxUint64, ContactPoints: []string{}, Capability: capabilityIn{Manifest: &manifest},
		}},
		{"target_ref", "target_ref_derivation", targetRefIn{Master: pointer(fill(0x11)), World: inWorld(), Epoch: someEpoch, Descriptor: fill(0x33)}},
		{"target_ref_an_epoch_later", "target_ref_derivation", targetRefIn{Master: pointer(fill(0x11)), World: inWorld(), Epoch: someEpoch + 1, Descriptor: fill(0x33)}},
		{"terrain_address", "terrain_address_canonical", terrainIn{Epoch: someEpoch, Region: math.MaxUint64, Chunk: 128, Cell: 127}},
	}
}

func exampleRules() rulesIn {
	return rulesIn{
		Version: 1, EpochLenMS: 3_600_000, ExplorationRate: 0.05, DisagreementQuarantineThresh: 0.5, MinDiverseProbers: 3,
		MaxProbeRedundancy: 10, DefaultCircuitLen: 3, RelayBatchMaxDelayMS: 0, FixedCellBytes: 512,
		WSuccess: 1, WToolFidelity: 0.5, WLatency: 0.3, WRefusalConsistency: 0.2, WRobustness: 0.4,
	}
}

func exampleManifest() manifestIn {
	return manifestIn{
		BaseModelID: "größtes-modell-7b", WeightsDigest: fill(1), RuntimeID: "vllm", ContextLimit: 128_000,
		ToolSchemasDigest: fill(2), SafetyMode: "standard",
		Adapters: []adapterIn{ // neither sorted nor without doubles
			{"lora", "b", fill(3)}, {"lora", "a", fill(4)}, {"ia3", "z", fill(5)}, {"lora", "b", fill(3)}, {"lora", "a", fill(3)},
		},
	}
}

func exampleCharter() charterIn {
	return charterIn{
		Version: 1, Founders: []world.Hash{fill(3), fill(1), fill(2)}, FounderThreshold: 2, Mode: 1,
		DirectorySigners: []world.Hash{fill(9), fill(8), fill(7)}, DirectoryThreshold: 2, CircuitSuite: 1,
		Chain:         &chainIn{ID: 31_337, Contract: bytes.Repeat([]byte{0xcc}, 20), RuntimeCodeHash: fill(0xdd)},
		EventHorizonS: 1_209_600, QuotaPerAuthor: 1024, TicketBits: 6, ContentPolicyHash: fill(0xee),
	}
}

func exampleUnsigned() unsignedIn {
	m := exampleManifest()
	return unsignedIn{
		World: inWorld(), Epoch: someEpoch, ContactPoints: []string{"/ip4/192.0.2.1/tcp/4811", "seq:7"},
		Capability: capabilityIn{Manifest: &m},
	}
}

// worldExamples are of worlds, charters and descriptors.
func worldExamples() []example {
	charter := exampleCharter()
	plain := charter
	plain.Chain, plain.Mode, plain.ContentPolicyHash = nil, 0, world.Hash{}
	manifest := exampleManifest()
	return []example{
		{"phrase_with_white_space", "phrase", phraseIn{"  Test\t World \r\n ALPHA "}},
		{"phrase_with_hyphens", "phrase", phraseIn{"already-hyphen--ated 9"}},
		{"phrase_empty", "phrase", phraseIn{" \t"}},
		{"phrase_with_an_umlaut", "phrase", phraseIn{"größe"}},
		{"phrase_with_the_kelvin_sign", "phrase", phraseIn{"\u212Aelvin"}},
		{"epoch_of_an_hour", "epoch", epochIn{UnixMS: 1_794_700_000_000, EpochLen: 3_600_000}},
		{"epoch_last_millisecond", "epoch", epochIn{UnixMS: 59_999, EpochLen: 60_000}},
		{"epoch_first_millisecond", "epoch", epochIn{UnixMS: 60_000, EpochLen: 60_000}},
		{"epoch_before_1970", "epoch", epochIn{UnixMS: -1, EpochLen: 60_000}},
		{"charter_with_a_chain", "charter", charter},
		{"charter_without", "charter", plain},
		{"world_id_with_charter", "world_id_with_charter", worldIDWithCharterIn{worldIDIn{"Test World Alpha", exampleRules()}, charter}},
		{"world_id_with_another_charter", "world_id_with_charter", worldIDWithCharterIn{worldIDIn{"Test World Alpha", exampleRules()}, plain}},
		{"adapter", "adapter", adapterIn{"lora", "coding-v1", fill(0xbb)}},
		{"capability_fah", "capability", capabilityIn{FAH: pointer(fill(0x55))}},
		{"capability_manifest", "capability", capabilityIn{Manifest: &manifest}},
		{"descriptor", "descriptor", descriptorIn{Seed: fill(0x77), Unsigned: exampleUnsigned()}},
	}
}

// secretExamples are of names and keys that only some can derive.
func secretExamples() []example {
	m := exampleMetrics()
	zeros := metricsIn{}
	sig := func(b byte) octets { return bytes.Repeat([]byte{b}, 64) }
	return []example{
		{"fingerprint", "fingerprint", fingerprintIn{inWorld(), fill(0x44)}},
		{"handle", "handle", handleIn{fill(0x66), fingerprintIn{inWorld(), fill(0x44)}}},
		{"metrics", "metrics", m},
		{"metrics_zero", "metrics", zeros},
		{"metrics_at_the_halves", "metrics", metricsIn{SuccessRate: 0.5 / 64, RefusalConsistency: 1.5 / 64, ToolFidelity: 1, LatencyP95: math.MaxUint16, Freshness: 2}},
		{"bah", "bah", bahIn{FAH: fill(0x55), Epoch: someEpoch, Metrics: m}},
		{"bah_with_signatures", "bah", bahIn{FAH: fill(0x55), Epoch: someEpoch, Metrics: m, Signatures: []octets{sig(2), sig(1), sig(2)}}},
		{"replica_id", "replica_id", replicaIn{fill(0x44), inWorld(), someEpoch}},
		{"keyed_replica_id", "keyed_replica_id", keyedReplicaIn{fill(0x66), inWorld(), someEpoch}},
		{"secret_without_parts", "secret_derivation", derivedSecretIn{fill(0x66), "culvert topic", []octets{}}},
		{"secret_with_parts", "secret_derivation", derivedSecretIn{fill(0x66), "culvert sync", []octets{{1, 2, 3}, {}, bytes.Repeat([]byte{9}, 200)}}},
		{"terrain_place", "terrain_place", terrainPlaceIn{fill(0x88), replicaIn{fill(0x44), inWorld(), someEpoch}}},
		{"ticket", "ticket", ticketIn{inWorld(), someEpoch, fill(0x44), fill(0x99), []byte("anchor")}},
		{"ticket_without_anchor", "ticket", ticketIn{inWorld(), math.MaxUint64, fill(0x44), fill(0x99), octets{}}},
		{"phrase_address_empty", "phrase_address", phraseAddressIn{octets{}}},
		{"phrase_address_4", "phrase_address", phraseAddressIn{octets{0x1f, 0xf2, 0x5d, 0xed}}},
		{"phrase_address_10", "phrase_address", phraseAddressIn{bytes.Repeat([]byte{0xff}, 10)}},
		{"phrase_address_11", "phrase_address", phraseAddressIn{make(octets, 11)}},
		{"phrase_address_64", "phrase_address", phraseAddressIn{bytes.Repeat([]byte{0x5a}, 64)}},
	}
}

func exampleMetrics() metricsIn {
	return metricsIn{
		SuccessRate: 0.97, RefusalConsistency: 1, ToolFidelity: 1. / 3, LatencyP50: 420, LatencyP95: 1800, Robustness: 0.75, Drift: 0.1, Freshness: 1,
	}
}

func exampleReceipt() receiptIn {
	return receiptIn{authorIn: author(1), Challenge: fill(2), Target: fill(3), Outcome: fill(4)}
}

func exampleVerdict() verdictIn {
	return verdictIn{authorIn: author(1), Shard: fill(5), Verdict: "quarantine", Reasons: []string{"zebra", "pii", "a duplicate", "pii", ""}}
}

func exampleTraining() trainingIn {
	return trainingIn{
		authorIn: author(1), BaseModel: "m-7b", Artifact: fill(6), Shards: []world.Hash{fill(3), fill(2), fill(3)}, Method: "lora", EvalReport: fill(7),
	}
}

func exampleShard() shardIn {
	return shardIn{authorIn: author(1), Source: "probe", Payload: []byte("what was left after redaction")}
}

func exampleEndorsement() endorsementIn {
	return endorsementIn{authorIn: author(1), Rules: fill(8), Weight: 2.5}
}

func exampleDispute() disputeIn {
	return disputeIn{authorIn: author(1), EventA: fill(2), EventB: fill(3), Reason: "one challenge, two outcomes — weiß"}
}

// eventExamples are of the nine events.
func eventExamples() []example {
	full := exampleReceipt()
	full.TargetFAH = pointer(fill(0x55))
	full.Ticket = &probeTicketIn{Nonce: fill(0x99), Anchor: []byte("anchor"), Output: fill(0)}
	late := exampleReceipt()
	late.Epoch = math.MaxUint64
	attestation := attestationIn{authorIn: author(1), Challenge: fill(2), Target: fill(3), Metrics: exampleMetrics(), Evidence: fill(4)}
	fresh := attestation
	fresh.TargetFAH, fresh.Anchor = pointer(fill(0x55)), []byte("block 77")
	elsewhere := exampleShard()
	elsewhere.World = fill(0x23)
	bare := exampleVerdict()
	bare.Reasons = []string{}
	return []example{
		{"event_receipt", "event_receipt", exampleReceipt()},
		{"event_receipt_with_options", "event_receipt", full},
		{"event_receipt_of_the_last_epoch", "event_receipt", late},
		{"event_attestation", "event_attestation", attestation},
		{"event_attestation_with_options", "event_attestation", fresh},
		{"event_dispute", "event_dispute", exampleDispute()},
		{"event_link_hint", "event_link_hint", linkHintIn{authorIn: author(1), TargetA: fill(2), TargetB: fill(3), Evidence: fill(4), Compatibility: 0.875}},
		{"event_rule_endorsement", "event_rule_endorsement", exampleEndorsement()},
		{"event_descriptor_publish", "event_descriptor_publish", descriptorIn{Seed: fill(0x77), Unsigned: exampleUnsigned()}},
		{"event_shard", "event_shard", exampleShard()},
		{"event_shard_in_another_world", "event_shard", elsewhere},
		{"event_verdict", "event_verdict", exampleVerdict()},
		{"event_verdict_without_reasons", "event_verdict", bare},
		{"event_training_manifest", "event_training_manifest", exampleTraining()},
	}
}

// statementExamples are of what directory signers sign.
func statementExamples() []example {
	in := statementIn{Seed: fill(0x0a), World: inWorld(), Number: someEpoch, Content: fill(0x0b)}
	root, seal := in, in
	root.About, seal.About = "root", "seal"
	return []example{{"statement_root", "statement", root}, {"statement_seal", "statement", seal}}
}
