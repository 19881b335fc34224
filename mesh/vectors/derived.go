package vectors

import (
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"

	"github.com/culvert-net/culvert/mesh/event"
	"github.com/culvert-net/culvert/mesh/terrain"
	"github.com/culvert-net/culvert/mesh/world"
	"github.com/culvert-net/culvert/mesh/world/postcard"
)

// derivedKinds are names and keys that the reference has no vectors for.
func derivedKinds() []kind {
	return []kind{
		{"phrase", "a phrase, normalised or refused", of(phrase)},
		{"epoch", "floor(unix_ms / epoch_len_ms)", of(epoch)},
		{"charter", "canonical bytes of a Charter and their hash", of(charter)},
		{"world_id_with_charter", `BLAKE3("world2" || phrase_norm || rule_bundle_hash || charter_hash)`, of(worldIDWithCharter)},
		{"adapter", "canonical bytes of an Adapter", of(adapter)},
		{"capability", "canonical bytes of a capability, and its FAH", of(capability)},
		{"descriptor", `Ed25519 over "desc-sig" || world || descriptor_id || canonical_bytes(unsigned)`, of(descriptor)},
		{"fingerprint", `BLAKE3("fp" || world || transport_key)`, of(fingerprint)},
		{"handle", `BLAKE3("handle" || observer_secret || fingerprint)`, of(handle)},
		{"metrics", "canonical bytes of a MetricsVector, and rounded to 1/64", of(metrics)},
		{"bah", `BLAKE3("bah" || fah || epoch || canonical_bytes(rounded metrics) || sorted signatures)`, of(bah)},
		{"replica_id", `BLAKE3("replica" || transport_key || world || epoch)`, of(replicaID)},
		{"keyed_replica_id", `BLAKE3_KEYED(member_secret, "replica" || world || epoch)`, of(keyedReplicaID)},
		{"secret_derivation", "HKDF-SHA256(secret, no salt, info = label and parts, each with its length before it)", of(derivedSecret)},
		{"terrain_place", `BLAKE3_KEYED(cpk, "terrain" || world || epoch || transport_key), cut into an address`, of(terrainPlace)},
		{"ticket", `scrypt("ticket" || world || epoch || key || nonce || anchor, salt = world, N = 16384, r = 8, p = 1)`, of(ticket)},
		{"phrase_address", "payload, a 1 bit, zeros, and 11 bits of BLAKE3(payload), as words", of(phraseAddress)},
	}
}

type phraseIn struct {
	Phrase string `json:"phrase"`
}

func phrase(in phraseIn) (*result, error) {
	norm, err := world.NormalizePhrase(in.Phrase)
	if err != nil {
		return &result{steps: hexed("error", "refused")}, nil
	}
	return &result{steps: hexed("phrase_normalized", norm)}, nil
}

type epochIn struct {
	UnixMS   int64  `json:"unix_ms"`
	EpochLen uint64 `json:"epoch_len_ms"`
}

func epoch(in epochIn) (*result, error) {
	if in.EpochLen == 0 {
		return nil, errors.New("epoch_len_ms is 0")
	}
	n := uint64(max(0, in.UnixMS)) / in.EpochLen
	return &result{steps: hexed("epoch", strconv.FormatUint(n, 10))}, nil
}

type chainIn struct {
	ID              number     `json:"chain_id"`
	Contract        octets     `json:"contract_hex"`
	RuntimeCodeHash world.Hash `json:"runtime_code_hash_hex"`
}

type charterIn struct {
	Version            uint32       `json:"version"`
	Founders           []world.Hash `json:"founders_hex"`
	FounderThreshold   uint32       `json:"founder_threshold"`
	Mode               uint32       `json:"mode"`
	DirectorySigners   []world.Hash `json:"directory_signers_hex"`
	DirectoryThreshold uint32       `json:"directory_threshold"`
	CircuitSuite       uint8        `json:"circuit_suite"`
	Chain              *chainIn     `json:"chain,omitempty"`
	EventHorizonS      number       `json:"event_horizon_s"`
	QuotaPerAuthor     uint32       `json:"quota_per_author"`
	TicketBits         uint32       `json:"ticket_bits"`
	ContentPolicyHash  world.Hash   `json:"content_policy_hash_hex"`
}

func (in charterIn) charter() (world.Charter, error) {
	c := world.Charter{
		Version: in.Version, Founders: keys(in.Founders), FounderThreshold: in.FounderThreshold, Mode: world.Mode(in.Mode),
		DirectorySigners: keys(in.DirectorySigners), DirectoryThreshold: in.DirectoryThreshold, CircuitSuite: in.CircuitSuite,
		EventHorizonS: uint64(in.EventHorizonS), QuotaPerAuthor: in.QuotaPerAuthor, TicketBits: in.TicketBits,
		ContentPolicyHash: in.ContentPolicyHash,
	}
	if in.Chain != nil {
		c.Chain = &world.Chain{ID: uint64(in.Chain.ID), RuntimeCodeHash: in.Chain.RuntimeCodeHash}
		if len(in.Chain.Contract) != len(c.Chain.Contract) {
			return c, fmt.Errorf("contract_hex has %d bytes, not %d", len(in.Chain.Contract), len(c.Chain.Contract))
		}
		copy(c.Chain.Contract[:], in.Chain.Contract)
	}
	return c, nil
}

func keys(hashes []world.Hash) [][32]byte {
	var out [][32]byte
	for _, h := range hashes {
		out = append(out, h)
	}
	return out
}

func charter(in charterIn) (*result, error) {
	c, err := in.charter()
	if err != nil {
		return nil, err
	}
	return &result{canonical: c.Canonical(), hash: c.Hash().String()}, nil
}

type worldIDWithCharterIn struct {
	worldIDIn
	Charter charterIn `json:"charter"`
}

func worldIDWithCharter(in worldIDWithCharterIn) (*result, error) {
	norm, err := world.NormalizePhrase(in.Phrase)
	if err != nil {
		return nil, err
	}
	c, err := in.Charter.charter()
	if err != nil {
		return nil, err
	}
	rules := world.RuleBundle(in.Rules)
	return &result{
		hash: world.WorldIDWithCharter(norm, rules.Hash(), c.Hash()).String(),
		steps: hexed("phrase_normalized", norm, "rule_bundle_hash_hex", rules.Hash(),
			"charter_bytes_hex", c.Canonical(), "charter_hash_hex", c.Hash()),
	}, nil
}

func adapter(in adapterIn) (*result, error) {
	return &result{canonical: world.Adapter(in).Canonical()}, nil
}

func capability(in capabilityIn) (*result, error) {
	u, err := unsignedIn{Capability: in}.unsigned()
	if err != nil {
		return nil, err
	}
	return &result{canonical: u.Capability.Canonical(), hash: u.Capability.Hash().String()}, nil
}

type descriptorIn struct {
	Seed     world.Hash `json:"author_seed_hex"`
	Unsigned unsignedIn `json:"unsigned"`
}

func (in descriptorIn) sign() (world.Descriptor, error) {
	u, err := in.Unsigned.unsigned()
	if err != nil {
		return world.Descriptor{}, err
	}
	return world.SignDescriptor(ed25519.NewKeyFromSeed(in.Seed[:]), u), nil
}

func descriptor(in descriptorIn) (*result, error) {
	d, err := in.sign()
	if err != nil {
		return nil, err
	}
	return &result{
		canonical: d.Canonical(), hash: d.ID.String(),
		steps: hexed("author_key_hex", d.Key[:], "domain", string(world.DomainDescriptor),
			"unsigned_hex", d.DescriptorUnsigned.Canonical(), "signed_message_hex", d.SignedMessage(), "signature_hex", d.Signature[:]),
	}, nil
}

type fingerprintIn struct {
	World world.Hash `json:"world_hex"`
	Key   world.Hash `json:"transport_key_hex"`
}

func fingerprint(in fingerprintIn) (*result, error) {
	return &result{hash: world.Fingerprint(in.World, in.Key).String()}, nil
}

type handleIn struct {
	Observer world.Hash `json:"observer_secret_hex"`
	fingerprintIn
}

func handle(in handleIn) (*result, error) {
	fp := world.Fingerprint(in.World, in.Key)
	return &result{
		hash:  world.Handle(world.NewSecret(in.Observer), fp).String(),
		steps: hexed("fingerprint_hex", fp),
	}, nil
}

type metricsIn struct {
	SuccessRate        float64         `json:"success_rate"`
	RefusalConsistency float64         `json:"refusal_consistency"`
	ToolFidelity       float64         `json:"tool_fidelity"`
	LatencyP50         uint32          `json:"latency_p50_ms"`
	LatencyP95         uint32          `json:"latency_p95_ms"`
	Robustness         float64         `json:"robustness_score"`
	Drift              float64         `json:"drift_indicator"`
	Freshness          event.Freshness `json:"freshness"`
}

func metrics(in metricsIn) (*result, error) {
	m := event.Metrics(in)
	return &result{canonical: m.Canonical(), steps: hexed("aggregate_bytes_hex", m.Aggregate().Canonical())}, nil
}

type bahIn struct {
	FAH        world.Hash `json:"fah_hex"`
	Epoch      number     `json:"epoch_id"`
	Metrics    metricsIn  `json:"metrics"`
	Signatures []octets   `json:"verifier_signatures_hex,omitempty"`
}

func bah(in bahIn) (*result, error) {
	var sigs [][ed25519.SignatureSize]byte
	for _, s := range in.Signatures {
		if len(s) != ed25519.SignatureSize {
			return nil, fmt.Errorf("a signature of %d bytes", len(s))
		}
		sigs = append(sigs, [ed25519.SignatureSize]byte(s))
	}
	agg := event.Metrics(in.Metrics).Aggregate().Canonical()
	return &result{
		hash:  world.BAH(in.FAH, uint64(in.Epoch), agg, sigs...).String(),
		steps: hexed("aggregate_bytes_hex", agg),
	}, nil
}

type replicaIn struct {
	Key   world.Hash `json:"transport_key_hex"`
	World world.Hash `json:"world_hex"`
	Epoch number     `json:"epoch_id"`
}

func replicaID(in replicaIn) (*result, error) {
	return &result{hash: world.ReplicaID(in.Key, in.World, uint64(in.Epoch)).String()}, nil
}

type keyedReplicaIn struct {
	Member world.Hash `json:"member_secret_hex"`
	World  world.Hash `json:"world_hex"`
	Epoch  number     `json:"epoch_id"`
}

func keyedReplicaID(in keyedReplicaIn) (*result, error) {
	return &result{hash: world.KeyedReplicaID(world.NewSecret(in.Member), in.World, uint64(in.Epoch)).String()}, nil
}

type derivedSecretIn struct {
	Secret world.Hash `json:"secret_hex"`
	Label  string     `json:"label"`
	Parts  []octets   `json:"parts_hex"`
}

func derivedSecret(in derivedSecretIn) (*result, error) {
	info := postcard.AppendString(nil, in.Label)
	var parts [][]byte
	for _, p := range in.Parts {
		info = postcard.AppendBytes(info, p)
		parts = append(parts, p)
	}
	key := world.NewSecret(in.Secret).Derive(in.Label, parts...).Reveal()
	return &result{hash: hex.EncodeToString(key[:]), steps: hexed("info_hex", info)}, nil
}

type terrainPlaceIn struct {
	ControlPlaneKey world.Hash `json:"control_plane_key_hex"`
	replicaIn
}

func terrainPlace(in terrainPlaceIn) (*result, error) {
	cpk := world.NewSecret(in.ControlPlaneKey)
	a := terrain.Of(cpk, in.World, uint64(in.Epoch), in.Key)
	return &result{
		canonical: a.Canonical(), hash: world.TerrainHash(cpk, in.World, uint64(in.Epoch), in.Key).String(),
		steps: hexed("region_id", strconv.FormatUint(a.Region, 10), "chunk_id", strconv.FormatUint(a.Chunk, 10),
			"cell_id", strconv.FormatUint(uint64(a.Cell), 10), "phrase_address", world.PhraseAddress(a.Canonical())),
	}, nil
}

type ticketIn struct {
	World  world.Hash `json:"world_hex"`
	Epoch  number     `json:"epoch_id"`
	Key    world.Hash `json:"prober_key_hex"`
	Nonce  world.Hash `json:"nonce_hex"`
	Anchor octets     `json:"anchor_hex"`
}

func ticket(in ticketIn) (*result, error) {
	if len(in.Anchor) > world.MaxAnchor {
		return nil, fmt.Errorf("an anchor of %d bytes", len(in.Anchor))
	}
	t := world.Ticket{Nonce: in.Nonce, Anchor: in.Anchor}
	t.Output = t.Compute(in.World, uint64(in.Epoch), in.Key)
	return &result{canonical: t.Bytes(), hash: hex.EncodeToString(t.Output[:])}, nil
}

type phraseAddressIn struct {
	Payload octets `json:"payload_hex"`
}

func phraseAddress(in phraseAddressIn) (*result, error) {
	if len(in.Payload) > world.MaxPhrasePayload {
		return nil, fmt.Errorf("a payload of %d bytes", len(in.Payload))
	}
	return &result{steps: hexed("phrase_address", world.PhraseAddress(in.Payload))}, nil
}
