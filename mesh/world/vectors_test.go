package world_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"testing"

	"github.com/culvert-net/culvert/mesh/world"
)

// vector is one entry of the reference implementation's published file.
type vector struct {
	Name           string
	Inputs         json.RawMessage
	CanonicalBytes hexBytes   `json:"canonical_bytes_hex"`
	Hash           world.Hash `json:"hash_hex"`
}

// hexBytes is a byte string written in hexadecimal.
type hexBytes []byte

func (h *hexBytes) UnmarshalText(text []byte) (err error) {
	*h, err = hex.AppendDecode(nil, text)
	return err
}

const vectorFile = "testdata/terraingossip.json"

// readVector finds a vector by name and decodes its inputs.
func readVector(t *testing.T, name string, inputs any) vector {
	t.Helper()
	data, err := os.ReadFile(vectorFile)
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Vectors []vector }
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	for _, v := range file.Vectors {
		if v.Name != name {
			continue
		}
		if err := json.Unmarshal(v.Inputs, inputs); err != nil {
			t.Fatal(err)
		}
		return v
	}
	t.Fatalf("%s holds no vector %q", vectorFile, name)
	return vector{}
}

func TestVectorWorldID(t *testing.T) {
	var in struct {
		Phrase     string
		Normalized string `json:"phrase_normalized"`
		RuleBundle struct {
			DefaultCircuitLen            uint32  `json:"default_circuit_len"`
			DisagreementQuarantineThresh float64 `json:"disagreement_quarantine_threshold"`
			EpochLenMS                   uint64  `json:"epoch_len_ms"`
			ExplorationRate              float64 `json:"exploration_rate"`
			FixedCellBytes               uint32  `json:"fixed_cell_bytes"`
			MaxProbeRedundancy           uint32  `json:"max_probe_redundancy"`
			MinDiverseProbers            uint32  `json:"min_diverse_probers"`
			RelayBatchMaxDelayMS         uint32  `json:"relay_batch_max_delay_ms"`
			Version                      uint32  `json:"version"`
			WLatency                     float64 `json:"w_latency"`
			WRefusalConsistency          float64 `json:"w_refusal_consistency"`
			WRobustness                  float64 `json:"w_robustness"`
			WSuccess                     float64 `json:"w_success"`
			WToolFidelity                float64 `json:"w_tool_fidelity"`
		} `json:"rule_bundle"`
		RuleBundleHash world.Hash `json:"rule_bundle_hash_hex"`
	}
	v := readVector(t, "world_id_derivation", &in)
	r := in.RuleBundle
	rules := world.RuleBundle{
		Version: r.Version, EpochLenMS: r.EpochLenMS, ExplorationRate: r.ExplorationRate,
		DisagreementQuarantineThresh: r.DisagreementQuarantineThresh,
		MinDiverseProbers:            r.MinDiverseProbers, MaxProbeRedundancy: r.MaxProbeRedundancy,
		DefaultCircuitLen: r.DefaultCircuitLen, RelayBatchMaxDelayMS: r.RelayBatchMaxDelayMS,
		FixedCellBytes: r.FixedCellBytes, WSuccess: r.WSuccess, WToolFidelity: r.WToolFidelity,
		WLatency: r.WLatency, WRefusalConsistency: r.WRefusalConsistency, WRobustness: r.WRobustness,
	}

	if got := rules.Canonical(); !bytes.Equal(got, v.CanonicalBytes) {
		t.Errorf("canonical rule bundle = %x, want %x", got, v.CanonicalBytes)
	}
	if got, err := world.DecodeRuleBundle(v.CanonicalBytes); err != nil || got != rules {
		t.Errorf("DecodeRuleBundle = %+v, %v, want %+v", got, err, rules)
	}
	if got := rules.Hash(); got != in.RuleBundleHash {
		t.Errorf("rule bundle hash = %v, want %v", got, in.RuleBundleHash)
	}
	norm, err := world.NormalizePhrase(in.Phrase)
	if err != nil || norm != in.Normalized {
		t.Errorf("NormalizePhrase(%q) = %q, %v, want %q", in.Phrase, norm, err, in.Normalized)
	}
	if got := world.WorldID(norm, rules.Hash()); got != v.Hash {
		t.Errorf("world id = %v, want %v", got, v.Hash)
	}
	w, err := world.New(world.World{Phrase: in.Phrase, Rules: rules})
	if err != nil || w.ID != v.Hash {
		t.Errorf("New = %+v, %v, want world %v", w, err, v.Hash)
	}
}

func TestVectorFAH(t *testing.T) {
	var in struct {
		Adapters []struct {
			Digest world.Hash `json:"adapter_digest_hex"`
			ID     string     `json:"adapter_id"`
			Type   string     `json:"adapter_type"`
		}
		BaseModelID       string     `json:"base_model_id"`
		ContextLimit      uint32     `json:"context_limit"`
		RuntimeID         string     `json:"runtime_id"`
		WeightsDigest     world.Hash `json:"weights_digest_hex"`
		ToolSchemasDigest world.Hash `json:"tool_schemas_digest_hex"`
		SafetyMode        string     `json:"safety_mode"`
	}
	v := readVector(t, "fah_derivation", &in)
	m := world.CapabilityManifest{
		BaseModelID: in.BaseModelID, WeightsDigest: in.WeightsDigest, RuntimeID: in.RuntimeID,
		ContextLimit: in.ContextLimit, ToolSchemasDigest: in.ToolSchemasDigest, SafetyMode: in.SafetyMode,
	}
	for _, a := range in.Adapters {
		m.Adapters = append(m.Adapters, world.Adapter{Type: a.Type, ID: a.ID, Digest: a.Digest})
	}
	if got := m.Canonical(); !bytes.Equal(got, v.CanonicalBytes) {
		t.Errorf("canonical manifest = %x, want %x", got, v.CanonicalBytes)
	}
	decoded, err := world.DecodeManifest(v.CanonicalBytes)
	if err != nil || !bytes.Equal(decoded.Canonical(), v.CanonicalBytes) {
		t.Errorf("DecodeManifest = %+v, %v", decoded, err)
	}
	if got := world.FAH(m); got != v.Hash {
		t.Errorf("FAH = %v, want %v", got, v.Hash)
	}
	if got := (world.Capability{Manifest: &m}).Hash(); got != v.Hash {
		t.Errorf("Capability.Hash = %v, want %v", got, v.Hash)
	}
}

func TestVectorDescriptorID(t *testing.T) {
	var in struct {
		Capability struct {
			FAH world.Hash `json:"fah_hex"`
		}
		ContactPoints []string   `json:"contact_points"`
		Epoch         uint64     `json:"descriptor_epoch"`
		World         world.Hash `json:"world_hex"`
	}
	v := readVector(t, "descriptor_id_derivation", &in)
	u := world.DescriptorUnsigned{
		World: in.World, Epoch: in.Epoch, ContactPoints: in.ContactPoints,
		Capability: world.Capability{FAH: in.Capability.FAH},
	}
	if got := u.Canonical(); !bytes.Equal(got, v.CanonicalBytes) {
		t.Errorf("canonical descriptor = %x, want %x", got, v.CanonicalBytes)
	}
	if got := world.DescriptorID(u); got != v.Hash {
		t.Errorf("descriptor id = %v, want %v", got, v.Hash)
	}

	// Order and repetition of contact points are not content.
	u.ContactPoints = []string{in.ContactPoints[1], in.ContactPoints[0], in.ContactPoints[1]}
	if got := world.DescriptorID(u); got != v.Hash {
		t.Errorf("descriptor id of shuffled contact points = %v, want %v", got, v.Hash)
	}
}

func TestVectorTargetRef(t *testing.T) {
	var in struct {
		Key        world.Hash `json:"control_plane_key_hex"`
		Descriptor world.Hash `json:"descriptor_id_hex"`
		Epoch      uint64     `json:"epoch_id"`
		Master     world.Hash `json:"master_key_hex"`
		World      world.Hash `json:"world_id_hex"`
	}
	v := readVector(t, "target_ref_derivation", &in)
	if got := world.TargetRef(world.NewSecret(in.Key), in.World, in.Epoch, in.Descriptor); got != v.Hash {
		t.Errorf("TargetRef = %v, want %v", got, v.Hash)
	}
	key := world.ControlPlaneKey(world.NewSecret(in.Master), in.World, in.Epoch)
	if got := world.TargetRef(key, in.World, in.Epoch, in.Descriptor); got != v.Hash {
		t.Errorf("TargetRef under the derived control-plane key = %v, want %v", got, v.Hash)
	}
	if got := world.TargetRef(key, in.World, in.Epoch+1, in.Descriptor); got == v.Hash {
		t.Error("TargetRef does not depend on the epoch")
	}
}

// TestVectorsAreTheSharedOnes compares our copy with the published file, so
// that neither is edited alone.
func TestVectorsAreTheSharedOnes(t *testing.T) {
	const shared = "../../../shared/vectors/terraingossip.json"
	want, err := os.ReadFile(shared)
	if errors.Is(err, fs.ErrNotExist) {
		t.Skipf("SKIP %s: %s is not here, only our copy was tested", t.Name(), shared)
	}
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(vectorFile)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs from %s", vectorFile, shared)
	}
}
