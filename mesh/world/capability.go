package world

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"

	"github.com/culvert-net/culvert/mesh/world/postcard"
)

// Adapter is something loaded on top of a base model.
type Adapter struct {
	Type   string // e.g. lora
	ID     string
	Digest Hash
}

// adapterMin is the least an adapter can take: two empty strings and a digest.
const adapterMin = 1 + 1 + len(Hash{})

// compareAdapters is the canonical order.
func compareAdapters(a, b Adapter) int {
	return cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(a.ID, b.ID), bytes.Compare(a.Digest[:], b.Digest[:]))
}

// Canonical are the adapter's canonical bytes.
func (a Adapter) Canonical() []byte { return a.append(nil) }

func (a Adapter) append(b []byte) []byte {
	b = postcard.AppendString(b, a.Type)
	b = postcard.AppendString(b, a.ID)
	return postcard.AppendArray(b, a.Digest[:])
}

func readAdapter(d *postcard.Decoder) (a Adapter) {
	a.Type = d.Text()
	a.ID = d.Text()
	d.Array(a.Digest[:])
	return a
}

// DecodeAdapter reads what Canonical writes and nothing else.
func DecodeAdapter(b []byte) (Adapter, error) {
	d := postcard.NewDecoder(b)
	a := readAdapter(d)
	if err := d.Finish(); err != nil {
		return Adapter{}, fmt.Errorf("decoding an adapter: %w", err)
	}
	return a, nil
}

// CapabilityManifest is what a provider says it runs.
type CapabilityManifest struct {
	BaseModelID       string // empty for a pure relay
	WeightsDigest     Hash   // zero if not claimed
	RuntimeID         string // one of KnownRuntime's
	ContextLimit      uint32 // in tokens
	ToolSchemasDigest Hash   // zero if not claimed
	SafetyMode        string
	Adapters          []Adapter // any order; canonical bytes sort and de-duplicate
}

// KnownRuntime reports whether id is one of the runtimes of docs/spec/world.md §3.
func KnownRuntime(id string) bool {
	switch id {
	case "ollama", "vllm", "llamacpp", "openai", "anthropic", "http", "process", "mock", "relay", "other":
		return true
	}
	return false
}

// Canonical are the bytes that FAH hashes.
func (m CapabilityManifest) Canonical() []byte { return m.append(nil) }

func (m CapabilityManifest) append(b []byte) []byte {
	b = postcard.AppendString(b, m.BaseModelID)
	b = postcard.AppendArray(b, m.WeightsDigest[:])
	b = postcard.AppendString(b, m.RuntimeID)
	b = postcard.AppendUint(b, uint64(m.ContextLimit))
	b = postcard.AppendArray(b, m.ToolSchemasDigest[:])
	b = postcard.AppendString(b, m.SafetyMode)

	adapters := slices.Clone(m.Adapters)
	slices.SortFunc(adapters, compareAdapters)
	adapters = slices.Compact(adapters)
	b = postcard.AppendUint(b, uint64(len(adapters)))
	for _, a := range adapters {
		b = a.append(b)
	}
	return b
}

func readManifest(d *postcard.Decoder) (m CapabilityManifest) {
	m.BaseModelID = d.Text()
	d.Array(m.WeightsDigest[:])
	m.RuntimeID = d.Text()
	m.ContextLimit = d.U32()
	d.Array(m.ToolSchemasDigest[:])
	m.SafetyMode = d.Text()
	n := d.Count(adapterMin)
	for i := range n {
		a := readAdapter(d)
		if d.Err() != nil {
			return m
		}
		if i > 0 && compareAdapters(m.Adapters[i-1], a) >= 0 {
			d.Fail(postcard.ErrOrder)
			return m
		}
		m.Adapters = append(m.Adapters, a)
	}
	return m
}

// DecodeManifest reads what Canonical writes and nothing else.
func DecodeManifest(b []byte) (CapabilityManifest, error) {
	d := postcard.NewDecoder(b)
	m := readManifest(d)
	if err := d.Finish(); err != nil {
		return CapabilityManifest{}, fmt.Errorf("decoding a capability manifest: %w", err)
	}
	return m, nil
}

// Capability is a manifest, or only the hash of one.
type Capability struct {
	FAH      Hash                // used when Manifest is nil
	Manifest *CapabilityManifest // not changed by anyone once it is here
}

// Variants of the enum, in declaration order.
const (
	capabilityFAH = iota
	capabilityManifest
	capabilityVariants
)

// Hash is the FAH, whichever of the two the capability is.
func (c Capability) Hash() Hash {
	if c.Manifest != nil {
		return FAH(*c.Manifest)
	}
	return c.FAH
}

// Canonical are the capability's canonical bytes.
func (c Capability) Canonical() []byte { return c.append(nil) }

func (c Capability) append(b []byte) []byte {
	if c.Manifest == nil {
		b = postcard.AppendUint(b, capabilityFAH)
		return postcard.AppendArray(b, c.FAH[:])
	}
	return c.Manifest.append(postcard.AppendUint(b, capabilityManifest))
}

func readCapability(d *postcard.Decoder) (c Capability) {
	switch d.Variant(capabilityVariants) {
	case capabilityFAH:
		d.Array(c.FAH[:])
	case capabilityManifest:
		m := readManifest(d)
		c.Manifest = &m
	}
	return c
}

// DecodeCapability reads what Canonical writes and nothing else.
func DecodeCapability(b []byte) (Capability, error) {
	d := postcard.NewDecoder(b)
	c := readCapability(d)
	if err := d.Finish(); err != nil {
		return Capability{}, fmt.Errorf("decoding a capability: %w", err)
	}
	return c, nil
}
