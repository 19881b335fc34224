package vectors

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/culvert-net/culvert/mesh/terrain"
	"github.com/culvert-net/culvert/mesh/world"
	"github.com/culvert-net/culvert/mesh/world/postcard"
)

// namesKinds are the kinds the reference has, with its names of fields.
func namesKinds() []kind {
	return []kind{
		{"world_id_derivation", `WorldId = BLAKE3("world" || phrase_norm || rule_bundle_hash)`, of(worldID)},
		{"rule_bundle_hash", "BLAKE3(canonical_bytes(RuleBundle))", ruleBundle},
		{"fah_derivation", `FAH = BLAKE3("fah" || canonical_bytes(CapabilityManifest))`, fah},
		{"descriptor_id_derivation", `DescriptorId = BLAKE3("descriptor" || canonical_bytes(ProviderDescriptorUnsigned))`, of(descriptorID)},
		{"target_ref_derivation", `TargetRef = BLAKE3_KEYED(cpk, "targetref" || WorldId || epoch_id || DescriptorId)`, of(targetRef)},
		{"terrain_address_canonical", "canonical bytes of a TerrainAddress and their hash", of(terrainAddress)},
	}
}

// rulesIn are a bundle's fields, whose names are those of the world file.
type rulesIn struct {
	Version                      uint32  `json:"version"`
	EpochLenMS                   uint64  `json:"epoch_len_ms"`
	ExplorationRate              float64 `json:"exploration_rate"`
	DisagreementQuarantineThresh float64 `json:"disagreement_quarantine_threshold"`
	MinDiverseProbers            uint32  `json:"min_diverse_probers"`
	MaxProbeRedundancy           uint32  `json:"max_probe_redundancy"`
	DefaultCircuitLen            uint32  `json:"default_circuit_len"`
	RelayBatchMaxDelayMS         uint32  `json:"relay_batch_max_delay_ms"`
	FixedCellBytes               uint32  `json:"fixed_cell_bytes"`
	WSuccess                     float64 `json:"w_success"`
	WToolFidelity                float64 `json:"w_tool_fidelity"`
	WLatency                     float64 `json:"w_latency"`
	WRefusalConsistency          float64 `json:"w_refusal_consistency"`
	WRobustness                  float64 `json:"w_robustness"`
}

type worldIDIn struct {
	Phrase string  `json:"phrase"`
	Rules  rulesIn `json:"rule_bundle"`
}

func worldID(in worldIDIn) (*result, error) {
	norm, err := world.NormalizePhrase(in.Phrase)
	if err != nil {
		return nil, err
	}
	rules := world.RuleBundle(in.Rules)
	return &result{
		canonical: rules.Canonical(), hash: world.WorldID(norm, rules.Hash()).String(),
		steps: hexed("phrase_normalized", norm, "rule_bundle_hash_hex", rules.Hash()),
	}, nil
}

// ruleBundle takes fields that the inputs lack from the bytes, as long as these
// are a bundle: the reference gives three of fourteen.
func ruleBundle(raw json.RawMessage, given []byte) (*result, error) {
	var in rulesIn
	missing, err := missingFields(raw, in)
	if err != nil {
		return nil, err
	}
	if len(missing) > 0 {
		rules, err := world.DecodeRuleBundle(given)
		if err != nil {
			return nil, fmt.Errorf("the inputs lack %s, and %w", strings.Join(missing, ", "), err)
		}
		in = rulesIn(rules)
	}
	if err := json.Unmarshal(raw, &in); err != nil { // over what the bytes say
		return nil, fmt.Errorf("its inputs cannot be read: %w", err)
	}
	rules := world.RuleBundle(in)
	return &result{canonical: rules.Canonical(), hash: rules.Hash().String(), remarks: takenFromBytes(missing)}, nil
}

// missingFields are the JSON names of like's fields that raw does not have.
func missingFields(raw json.RawMessage, like any) ([]string, error) {
	var has map[string]json.RawMessage
	if err := json.Unmarshal(raw, &has); err != nil {
		return nil, fmt.Errorf("its inputs cannot be read: %w", err)
	}
	var missing []string
	for _, name := range jsonNames(like) {
		if _, ok := has[name]; !ok {
			missing = append(missing, name)
		}
	}
	return missing, nil
}

func takenFromBytes(missing []string) []string {
	if len(missing) == 0 {
		return nil
	}
	return []string{"with " + strings.Join(missing, ", ") + " as the bytes have them, since the inputs do not say"}
}

type adapterIn struct {
	Type   string     `json:"adapter_type"`
	ID     string     `json:"adapter_id"`
	Digest world.Hash `json:"adapter_digest_hex"`
}

// manifestIn has the fields in canonical order.
type manifestIn struct {
	BaseModelID       string      `json:"base_model_id"`
	WeightsDigest     world.Hash  `json:"weights_digest_hex"`
	RuntimeID         string      `json:"runtime_id"`
	ContextLimit      uint32      `json:"context_limit"`
	ToolSchemasDigest world.Hash  `json:"tool_schemas_digest_hex"`
	SafetyMode        string      `json:"safety_mode"`
	Adapters          []adapterIn `json:"adapters"`
}

func (in manifestIn) manifest() world.CapabilityManifest {
	m := world.CapabilityManifest{
		BaseModelID: in.BaseModelID, WeightsDigest: in.WeightsDigest, RuntimeID: in.RuntimeID,
		ContextLimit: in.ContextLimit, ToolSchemasDigest: in.ToolSchemasDigest, SafetyMode: in.SafetyMode,
	}
	for _, a := range in.Adapters {
		m.Adapters = append(m.Adapters, world.Adapter(a))
	}
	return m
}

// fah takes fields that the inputs lack from the bytes. The reference's
// published bytes are not a manifest, since one byte is missing; then the line
// says where they part from what the inputs do say.
func fah(raw json.RawMessage, given []byte) (*result, error) {
	var in manifestIn
	missing, err := missingFields(raw, in)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(raw, &in); err != nil {
		return nil, fmt.Errorf("its inputs cannot be read: %w", err)
	}
	if len(missing) > 0 {
		m, err := world.DecodeManifest(given)
		if err != nil {
			return nil, fmt.Errorf("the inputs lack %s, and the bytes do not say: %w; %s",
				strings.Join(missing, ", "), err, expectedStart(in, missing, given))
		}
		in.fill(missing, m)
	}
	m := in.manifest()
	return &result{canonical: m.Canonical(), hash: world.FAH(m).String(), remarks: takenFromBytes(missing)}, nil
}

// fill takes what is missing from a manifest.
func (in *manifestIn) fill(missing []string, m world.CapabilityManifest) {
	for _, name := range missing {
		switch name {
		case "base_model_id":
			in.BaseModelID = m.BaseModelID
		case "weights_digest_hex":
			in.WeightsDigest = m.WeightsDigest
		case "runtime_id":
			in.RuntimeID = m.RuntimeID
		case "context_limit":
			in.ContextLimit = m.ContextLimit
		case "tool_schemas_digest_hex":
			in.ToolSchemasDigest = m.ToolSchemasDigest
		case "safety_mode":
			in.SafetyMode = m.SafetyMode
		case "adapters":
			for _, a := range m.Adapters {
				in.Adapters = append(in.Adapters, adapterIn(a))
			}
		}
	}
}

// expectedStart compares bytes with the fields that are known up to the first
// missing one.
func expectedStart(in manifestIn, missing []string, given []byte) string {
	var want []byte
	for _, f := range []struct {
		name string
		add  func([]byte) []byte
	}{
		{"base_model_id", func(b []byte) []byte { return postcard.AppendString(b, in.BaseModelID) }},
		{"weights_digest_hex", func(b []byte) []byte { return postcard.AppendArray(b, in.WeightsDigest[:]) }},
		{"runtime_id", func(b []byte) []byte { return postcard.AppendString(b, in.RuntimeID) }},
		{"context_limit", func(b []byte) []byte { return postcard.AppendUint(b, uint64(in.ContextLimit)) }},
	} {
		if slices.Contains(missing, f.name) {
			break
		}
		want = f.add(want)
	}
	if bytes.HasPrefix(given, want) {
		return fmt.Sprintf("they begin with %x as expected", want)
	}
	at := 0
	for at < len(given) && given[at] == want[at] {
		at++
	}
	return fmt.Sprintf("expected %x at offset %d, and there is %s; expected bytes that begin with %x",
		want[at:at+1], at, orNothing(hex.EncodeToString(given[at:min(at+1, len(given))])), want)
}

type capabilityIn struct {
	FAH      *world.Hash `json:"fah_hex,omitempty"`
	Manifest *manifestIn `json:"manifest,omitempty"`
}

type unsignedIn struct {
	World         world.Hash   `json:"world_hex"`
	Epoch         number       `json:"descriptor_epoch"`
	ContactPoints []string     `json:"contact_points"`
	Capability    capabilityIn `json:"capability"`
}

func (in unsignedIn) unsigned() (world.DescriptorUnsigned, error) {
	u := world.DescriptorUnsigned{World: in.World, Epoch: uint64(in.Epoch), ContactPoints: in.ContactPoints}
	switch {
	case in.Capability.Manifest != nil:
		m := in.Capability.Manifest.manifest()
		u.Capability.Manifest = &m
	case in.Capability.FAH != nil:
		u.Capability.FAH = *in.Capability.FAH
	default:
		return u, errors.New("the capability has neither fah_hex nor manifest")
	}
	return u, nil
}

func descriptorID(in unsignedIn) (*result, error) {
	u, err := in.unsigned()
	if err != nil {
		return nil, err
	}
	return &result{canonical: u.Canonical(), hash: world.DescriptorID(u).String()}, nil
}

type targetRefIn struct {
	Master     *world.Hash `json:"master_key_hex,omitempty"`
	Key        *world.Hash `json:"control_plane_key_hex,omitempty"` // where there is no master
	World      world.Hash  `json:"world_id_hex"`
	Epoch      number      `json:"epoch_id"`
	Descriptor world.Hash  `json:"descriptor_id_hex"`
}

func targetRef(in targetRefIn) (*result, error) {
	var key *world.Secret
	switch {
	case in.Master != nil:
		key = world.ControlPlaneKey(world.NewSecret(*in.Master), in.World, uint64(in.Epoch))
	case in.Key != nil:
		key = world.NewSecret(*in.Key)
	default:
		return nil, errors.New("the inputs have neither master_key_hex nor control_plane_key_hex")
	}
	revealed := key.Reveal()
	return &result{
		hash:  world.TargetRef(key, in.World, uint64(in.Epoch), in.Descriptor).String(),
		steps: hexed("control_plane_key_hex", revealed[:]),
	}, nil
}

type terrainIn struct {
	Epoch  number `json:"epoch_id"`
	Region number `json:"region_id"`
	Chunk  number `json:"chunk_id"`
	Cell   uint32 `json:"cell_id"`
}

func terrainAddress(in terrainIn) (*result, error) {
	a := terrain.Address{Epoch: uint64(in.Epoch), Region: uint64(in.Region), Chunk: uint64(in.Chunk), Cell: in.Cell}
	return &result{canonical: a.Canonical(), hash: world.Sum(a.Canonical()).String()}, nil
}
