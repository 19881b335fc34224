package directory

import (
	"bytes"
	"cmp"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/culvert-net/culvert/mesh/world"
)

// Snapshot is a set at one moment. It never changes: take one per decision, so
// that everything decided together was decided on the same facts. What its
// methods return is shared and must not be modified.
type Snapshot struct {
	world   world.Hash
	epoch   uint64
	byKey   map[[32]byte]*Node
	entries []*entry   // of all epochs, in no order
	proofs  [][]*entry // of keys that are out, each with two
	sheets  map[world.Hash][]byte

	// Made on first use: a relay looks up keys, and needs no tables.
	tables func() *tables
	export func() []world.Descriptor
}

// tables are what routing asks for.
type tables struct {
	relays    []Node            // sorted by key
	ends      []Node            // sorted by key
	chainRPC  []Node            // sorted by key
	providers map[string][]Node // by model, sorted by key
	models    []ModelInfo       // sorted by ID
	serving   int               // nodes with at least one model
}

// newSnapshot reads epochs, which do not change meanwhile. A node stands with
// what it said in the newest epoch it said anything in; if it contradicted
// itself there, it does not stand at all.
func newSnapshot(id world.Hash, now uint64, epochs map[uint64]*epochPart, sheets map[world.Hash][]byte) *Snapshot {
	snap := &Snapshot{world: id, epoch: now, byKey: make(map[[32]byte]*Node), sheets: sheets}
	for _, e := range slices.Sorted(maps.Keys(epochs)) {
		for key, sl := range epochs[e].slots {
			if sl.proof == nil {
				snap.byKey[key] = sl.node
				snap.entries = slices.AppendSeq(snap.entries, maps.Values(sl.live))
				continue
			}
			delete(snap.byKey, key)
			if len(sl.proof) == 2 {
				snap.proofs = append(snap.proofs, sl.proof)
				snap.entries = append(snap.entries, sl.proof...)
			}
		}
	}
	snap.tables = sync.OnceValue(snap.makeTables)
	snap.export = sync.OnceValue(snap.makeExport)
	return snap
}

// makeNode puts a node together from its descriptors of one seq, which agree
// about everything but models.
func makeNode(live map[string]*entry) *Node {
	var n *Node
	for _, e := range live {
		if n == nil {
			n = &Node{
				Key: e.d.Key, Name: e.contact.name, Addrs: e.contact.addrs, Onion: e.contact.onion,
				Prices: e.contact.prices, Pay: e.contact.pay, Epoch: e.d.Epoch, Seq: e.contact.seq,
			}
		}
		caps := e.contact.caps
		if slices.Contains(caps, capChainRPC) {
			n.ChainRPC = true
			caps = slices.DeleteFunc(slices.Clone(caps), func(c string) bool { return c == capChainRPC })
		}
		if m := e.d.Capability.Manifest; m.BaseModelID == "" {
			n.End = slices.Contains(e.contact.caps, capEnd)
		} else {
			n.Models = append(n.Models, Model{
				ID: m.BaseModelID, Runtime: m.RuntimeID, Context: m.ContextLimit, Caps: caps,
				Weights: m.WeightsDigest, Tools: m.ToolSchemasDigest, Safety: m.SafetyMode, Adapters: m.Adapters,
			})
		}
	}
	n.End = n.End && len(n.Models) == 0 // whoever says both serves
	slices.SortFunc(n.Models, func(a, b Model) int { return strings.Compare(a.ID, b.ID) })
	return n
}

// World is the world of the snapshot.
func (s *Snapshot) World() world.Hash { return s.world }

// Epoch is the epoch in which the snapshot was made.
func (s *Snapshot) Epoch() uint64 { return s.epoch }

// Len is the number of nodes.
func (s *Snapshot) Len() int { return len(s.byKey) }

// Node finds a node by its transport key.
func (s *Snapshot) Node(key [32]byte) (Node, bool) {
	n := s.byKey[key]
	if n == nil {
		return Node{}, false
	}
	return *n, true
}

// Relays are the nodes that only relay, sorted by key. Nodes without an address
// that this program understands are left out here and in Providers.
func (s *Snapshot) Relays() []Node { return s.tables().relays }

// Ends are the nodes at which circuits end that are about no model, sorted by
// key: members that others reach over circuits.
func (s *Snapshot) Ends() []Node { return s.tables().ends }

// Providers are the nodes that serve a model, sorted by key.
func (s *Snapshot) Providers(model string) []Node { return s.tables().providers[model] }

// ChainRPC are the nodes that pass questions about the chain on, sorted by key.
func (s *Snapshot) ChainRPC() []Node { return s.tables().chainRPC }

// Models are the models of the world, sorted by ID.
func (s *Snapshot) Models() []ModelInfo { return s.tables().models }

// Serving is the number of nodes that serve at least one model.
func (s *Snapshot) Serving() int { return s.tables().serving }

// Sheet is the price sheet of a hash that a node's Prices name, as its provider
// made it. Nothing in it was looked at.
func (s *Snapshot) Sheet(hash world.Hash) ([]byte, bool) {
	b, ok := s.sheets[hash]
	return b, ok
}

// Sheets are all price sheets, sorted by bytes.
func (s *Snapshot) Sheets() [][]byte {
	return slices.SortedFunc(maps.Values(s.sheets), bytes.Compare)
}

// Descriptors are all descriptors, proofs of contradictions included, sorted by
// epoch, key and id.
func (s *Snapshot) Descriptors() []world.Descriptor { return s.export() }

// Equivocation is proof that a key said two things under one seq.
type Equivocation struct {
	Key           [32]byte
	Epoch         uint64
	First, Second world.Descriptor
}

// Equivocations are the proofs the set holds, sorted by epoch and key.
func (s *Snapshot) Equivocations() []Equivocation {
	out := make([]Equivocation, 0, len(s.proofs))
	for _, p := range s.proofs {
		out = append(out, Equivocation{Key: p[0].d.Key, Epoch: p[0].d.Epoch, First: p[0].d, Second: p[1].d})
	}
	slices.SortFunc(out, func(a, b Equivocation) int {
		return cmp.Or(cmp.Compare(a.Epoch, b.Epoch), bytes.Compare(a.Key[:], b.Key[:]))
	})
	return out
}

func (s *Snapshot) makeTables() *tables {
	t := &tables{providers: make(map[string][]Node)}
	info := make(map[string]*ModelInfo)
	nodes := slices.SortedFunc(maps.Values(s.byKey), func(a, b *Node) int { return bytes.Compare(a.Key[:], b.Key[:]) })
	for _, n := range nodes {
		if n.ChainRPC && len(n.Addrs) > 0 {
			t.chainRPC = append(t.chainRPC, *n)
		}
		switch {
		case len(n.Addrs) == 0:
			continue
		case n.IsRelay():
			t.relays = append(t.relays, *n)
			continue
		case n.End:
			t.ends = append(t.ends, *n)
			continue
		}
		t.serving++
		for _, m := range n.Models {
			t.providers[m.ID] = append(t.providers[m.ID], *n)
			if info[m.ID] == nil {
				info[m.ID] = &ModelInfo{ID: m.ID}
			}
			info[m.ID].Providers++
			info[m.ID].Context = max(info[m.ID].Context, m.Context)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(info)) {
		t.models = append(t.models, *info[id])
	}
	return t
}

func (s *Snapshot) makeExport() []world.Descriptor {
	sorted := slices.SortedFunc(slices.Values(s.entries), func(a, b *entry) int {
		return cmp.Or(cmp.Compare(a.d.Epoch, b.d.Epoch), bytes.Compare(a.d.Key[:], b.d.Key[:]), bytes.Compare(a.d.ID[:], b.d.ID[:]))
	})
	out := make([]world.Descriptor, 0, len(sorted))
	for _, e := range sorted {
		out = append(out, e.d)
	}
	return out
}
