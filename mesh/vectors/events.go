package vectors

import (
	"bytes"
	"crypto/ed25519"
	"errors"

	"github.com/culvert-net/culvert/mesh/event"
	"github.com/culvert-net/culvert/mesh/world"
)

// eventKinds are the nine events. Their canonical bytes are the event's, their
// hash is its id.
func eventKinds() []kind {
	const signed = "event id = BLAKE3(body); Ed25519 over domain || world || BLAKE3(unsigned) || unsigned"
	const placed = "event id = BLAKE3(body); Ed25519 over domain || world || BLAKE3(unsigned) || epoch || unsigned"
	return []kind{
		{"event_receipt", signed, of(func(in receiptIn) (*result, error) { return eventResult(in.sign()) })},
		{"event_attestation", signed, of(func(in attestationIn) (*result, error) { return eventResult(in.sign()) })},
		{"event_dispute", signed, of(func(in disputeIn) (*result, error) { return eventResult(in.sign()) })},
		{"event_link_hint", signed, of(func(in linkHintIn) (*result, error) { return eventResult(in.sign()) })},
		{"event_rule_endorsement", signed, of(func(in endorsementIn) (*result, error) { return eventResult(in.sign()) })},
		{"event_descriptor_publish", "event id = BLAKE3(body); signed as the descriptor is", of(func(in descriptorIn) (*result, error) { return eventResult(in.publish()) })},
		{"event_shard", placed, of(func(in shardIn) (*result, error) { return eventResult(in.sign()) })},
		{"event_verdict", signed, of(func(in verdictIn) (*result, error) { return eventResult(in.sign()) })},
		{"event_training_manifest", placed, of(func(in trainingIn) (*result, error) { return eventResult(in.sign()) })},
	}
}

// eventResult takes an event apart.
func eventResult(e *event.Event, err error) (*result, error) {
	if err != nil {
		return nil, err
	}
	msg := event.SignedMessage(e.Body)
	domain, err := domainOf(msg)
	if err != nil {
		return nil, err
	}
	id := world.Hash(msg[len(domain)+len(world.Hash{}):])
	unsigned := msg[len(domain)+2*len(world.Hash{}):]
	if t := e.Type(); t == event.TypeShard || t == event.TypeManifest {
		unsigned = unsigned[8:] // the epoch
	}
	author := e.Author()
	body := e.Body.Canonical()
	return &result{
		canonical: e.Canonical(), hash: e.ID.String(),
		steps: hexed("author_key_hex", author[:], "domain", string(domain), "unsigned_hex", unsigned, "unsigned_hash_hex", id,
			"signed_message_hex", msg, "signature_hex", body[len(body)-ed25519.SignatureSize:], "body_hex", body),
	}, nil
}

func domainOf(msg []byte) (world.Domain, error) {
	for _, d := range world.Domains() {
		if bytes.HasPrefix(msg, []byte(d)) {
			return d, nil
		}
	}
	return "", errors.New("what is signed begins with no known domain")
}

// authorIn is who says something, where and when.
type authorIn struct {
	Seed  world.Hash `json:"author_seed_hex"`
	World world.Hash `json:"world_hex"`
	Epoch number     `json:"epoch_id"`
}

func (in authorIn) key() ed25519.PrivateKey { return ed25519.NewKeyFromSeed(in.Seed[:]) }

func (in authorIn) place() event.Place {
	return event.Place{WorldID: in.World, EpochID: uint64(in.Epoch)}
}

type probeTicketIn struct {
	Nonce  world.Hash `json:"nonce_hex"`
	Anchor octets     `json:"anchor_hex"`
	Output world.Hash `json:"output_hex"`
}

type receiptIn struct {
	authorIn
	Challenge world.Hash     `json:"challenge_id_hex"`
	Target    world.Hash     `json:"target_ref_hex"`
	TargetFAH *world.Hash    `json:"target_fah_hex,omitempty"`
	Outcome   world.Hash     `json:"outcome_commitment_hex"`
	Ticket    *probeTicketIn `json:"ticket,omitempty"`
}

func (in receiptIn) sign() (*event.Event, error) {
	r := event.Receipt{Place: in.place(), Challenge: in.Challenge, Target: in.Target, TargetFAH: in.TargetFAH, Outcome: in.Outcome}
	if t := in.Ticket; t != nil {
		r.Ticket = &world.Ticket{Nonce: t.Nonce, Anchor: t.Anchor, Output: t.Output}
	}
	return event.SignReceipt(in.key(), r)
}

type attestationIn struct {
	authorIn
	Challenge world.Hash  `json:"challenge_id_hex"`
	Target    world.Hash  `json:"target_ref_hex"`
	TargetFAH *world.Hash `json:"target_fah_hex,omitempty"`
	Metrics   metricsIn   `json:"metrics"`
	Evidence  world.Hash  `json:"evidence_commitment_hex"`
	Anchor    octets      `json:"freshness_anchor_hex,omitempty"`
}

func (in attestationIn) sign() (*event.Event, error) {
	return event.SignAttestation(in.key(), event.Attestation{
		Place: in.place(), Challenge: in.Challenge, Target: in.Target, TargetFAH: in.TargetFAH,
		Metrics: event.Metrics(in.Metrics), Evidence: in.Evidence, Anchor: in.Anchor,
	})
}

type disputeIn struct {
	authorIn
	EventA world.Hash `json:"event_a_hex"`
	EventB world.Hash `json:"event_b_hex"`
	Reason string     `json:"reason"`
}

func (in disputeIn) sign() (*event.Event, error) {
	return event.SignDispute(in.key(), event.Dispute{Place: in.place(), EventA: in.EventA, EventB: in.EventB, Reason: in.Reason})
}

type linkHintIn struct {
	authorIn
	TargetA       world.Hash `json:"target_a_hex"`
	TargetB       world.Hash `json:"target_b_hex"`
	Evidence      world.Hash `json:"evidence_commitment_hex"`
	Compatibility float64    `json:"compatibility_score"`
}

func (in linkHintIn) sign() (*event.Event, error) {
	return event.SignLinkHint(in.key(), event.LinkHint{
		Place: in.place(), TargetA: in.TargetA, TargetB: in.TargetB, Evidence: in.Evidence, Compatibility: in.Compatibility,
	})
}

type endorsementIn struct {
	authorIn
	Rules  world.Hash `json:"rule_bundle_hash_hex"`
	Weight float64    `json:"weight"`
}

func (in endorsementIn) sign() (*event.Event, error) {
	return event.SignEndorsement(in.key(), event.Endorsement{Place: in.place(), Rules: in.Rules, Weight: in.Weight})
}

func (in descriptorIn) publish() (*event.Event, error) {
	d, err := in.sign()
	if err != nil {
		return nil, err
	}
	return event.PublishDescriptor(d)
}

type shardIn struct {
	authorIn
	Source  string `json:"source_type"`
	Payload octets `json:"redacted_payload_hex"`
}

func (in shardIn) sign() (*event.Event, error) {
	return event.SignShard(in.key(), event.Shard{Place: in.place(), Source: in.Source, Payload: in.Payload})
}

type verdictIn struct {
	authorIn
	Shard   world.Hash `json:"shard_id_hex"`
	Verdict string     `json:"verdict"`
	Reasons []string   `json:"reasons"`
}

func (in verdictIn) sign() (*event.Event, error) {
	return event.SignVerdict(in.key(), event.Verdict{Place: in.place(), Shard: in.Shard, Verdict: in.Verdict, Reasons: in.Reasons})
}

type trainingIn struct {
	authorIn
	BaseModel  string       `json:"base_model_id"`
	Artifact   world.Hash   `json:"model_artifact_digest_hex"`
	Shards     []world.Hash `json:"shard_ids_hex"`
	Method     string       `json:"method"`
	EvalReport world.Hash   `json:"eval_report_digest_hex"`
}

func (in trainingIn) sign() (*event.Event, error) {
	return event.SignManifest(in.key(), event.Manifest{
		Place: in.place(), BaseModel: in.BaseModel, Artifact: in.Artifact, Shards: in.Shards, Method: in.Method, EvalReport: in.EvalReport,
	})
}
