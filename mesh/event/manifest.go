package event

import (
	"bytes"
	"crypto/ed25519"
	"fmt"
	"slices"

	"github.com/culvert-net/culvert/mesh/world"
	"github.com/culvert-net/culvert/mesh/world/postcard"
)

// Manifest says what a model was trained on (TrainingManifest of the design).
// Like a shard it is placed by its envelope, and the signature covers the
// place.
type Manifest struct {
	ID world.Hash
	Place
	BaseModel  string
	Artifact   world.Hash   // digest of the model
	Shards     []world.Hash // sorted, each once
	Method     string       // e.g. lora
	EvalReport world.Hash   // digest of the report
	Signed
}

// SignManifest makes the event. Shards may be in any order; ID, Key and
// Signature are filled in.
func SignManifest(key ed25519.PrivateKey, m Manifest) (*Event, error) {
	m.Shards = slices.Clone(m.Shards)
	slices.SortFunc(m.Shards, compareHashes)
	m.Shards = slices.Compact(m.Shards)
	return sign(key, &m)
}

func compareHashes(a, b world.Hash) int { return bytes.Compare(a[:], b[:]) }

// Type is TypeManifest.
func (*Manifest) Type() Type { return TypeManifest }

// Canonical are the body's canonical bytes.
func (m *Manifest) Canonical() []byte { return canonical(m) }

func (*Manifest) domain() world.Domain   { return world.DomainManifest }
func (m *Manifest) carried() *world.Hash { return &m.ID }
func (m *Manifest) ids() error           { return checkID(m) }
func (m *Manifest) verify(c Check) error { return verify(m, c) }

func (m *Manifest) unsigned() []byte {
	b := postcard.AppendString(room(32*len(m.Shards)), m.BaseModel)
	b = appendHash(b, m.Artifact)
	b = postcard.AppendUint(b, uint64(len(m.Shards)))
	for _, s := range m.Shards {
		b = appendHash(b, s)
	}
	b = postcard.AppendString(b, m.Method)
	return m.appendKey(appendHash(b, m.EvalReport))
}

func readManifest(d *postcard.Decoder, place Place) *Manifest {
	return &Manifest{
		ID:         readHash(d),
		Place:      place,
		BaseModel:  d.Text(),
		Artifact:   readHash(d),
		Shards:     readShards(d),
		Method:     d.Text(),
		EvalReport: readHash(d),
		Signed:     readSigned(d),
	}
}

func readShards(d *postcard.Decoder) []world.Hash {
	n := d.Count(len(world.Hash{}))
	var shards []world.Hash
	for i := range n {
		s := readHash(d)
		if d.Err() == nil && i > 0 && compareHashes(shards[i-1], s) >= 0 {
			d.Fail(postcard.ErrOrder)
		}
		if d.Err() != nil {
			return nil
		}
		shards = append(shards, s)
	}
	return shards
}

func (m *Manifest) bounds() error {
	if len(m.Shards) > MaxShards {
		return fmt.Errorf("%w: %d shards, and there may be %d", ErrBounds, len(m.Shards), MaxShards)
	}
	if err := checkText("base_model_id", m.BaseModel, MaxName); err != nil {
		return err
	}
	return checkText("method", m.Method, MaxName)
}
