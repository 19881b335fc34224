package quorum

import (
	"cmp"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sync"

	"github.com/culvert-net/culvert/mesh/sealed"
	"github.com/culvert-net/culvert/mesh/world"
	"github.com/culvert-net/culvert/mesh/world/postcard"
)

// memoryMagic marks the file of a memory.
const memoryMagic sealed.Magic = "CULVSGN\x01"

// Memory is what a signer has ever signed, as far as it could still matter. It
// is on the disk before a signature exists.
type Memory struct {
	path  string     // "" for a simulation's; immutable
	world world.Hash // immutable

	mu     sync.Mutex
	filled []remembered  // sorted by kind and number; guarded by mu
	floor  [kinds]uint64 // numbers below are signed no more; guarded by mu
}

// remembered is one slot, filled.
type remembered struct {
	slot    Slot
	content world.Hash
}

// Why a signer does not sign.
var (
	ErrTaken = errors.New("another statement was signed for this slot")
	ErrOld   = errors.New("statements this old are signed no more")
)

// OpenMemory reads the memory at path, or starts with none if there is no file.
// A file that cannot be read is an error, and is never replaced by an empty one:
// what was signed before could be signed again, differently.
func OpenMemory(path string, id world.Hash) (*Memory, error) {
	if path == "" {
		return nil, errors.New("what this signer has signed: a file is needed, or a restart makes it contradict itself")
	}
	m := &Memory{path: path, world: id}
	b, err := sealed.Read(path, memoryMagic, id, maxMemoryFile)
	if errors.Is(err, fs.ErrNotExist) {
		return m, nil
	}
	if err == nil {
		err = m.decode(b)
	}
	if err != nil {
		return nil, fmt.Errorf("what this signer has signed, %s: %w; get the file back from a copy that is no older than "+
			"the last signature, or have founders replace the key: a signer that forgot may contradict itself", path, err)
	}
	return m, nil
}

// NewMemory is a memory that ends with the process: for simulations, whose
// signers do not outlive it either.
func NewMemory(id world.Hash) *Memory { return &Memory{world: id} }

// claim fills a slot, for good: once it has returned nil, no other content can have
// the slot, whatever happens to the machine. It asks check before it fills an empty
// one; claiming the same again is fine.
func (m *Memory) claim(slot Slot, content world.Hash, check func() error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if old, ok := m.find(slot); ok {
		if old.content != content {
			return fmt.Errorf("%w: the %v", ErrTaken, slot)
		}
		return nil
	}
	if slot.Number < m.floor[slot.Kind] {
		return fmt.Errorf("%w: the %v", ErrOld, slot)
	}
	if err := check(); err != nil {
		return err
	}
	next, floor := m.with(remembered{slot, content})
	if m.path != "" {
		if err := sealed.Write(m.path, memoryMagic, m.world, encodeMemory(next, floor)); err != nil {
			return fmt.Errorf("remembering what is about to be signed: %w", err)
		}
	}
	m.filled, m.floor = next, floor
	return nil
}

// Sign signs a statement, unless another was signed for its slot. check decides
// about a slot that is empty; it is not asked about a statement that was signed
// before, since that cannot be taken back.
func (m *Memory) Sign(key ed25519.PrivateKey, s Statement, check func() error) (Signature, error) {
	if s.World != m.world {
		return Signature{}, ErrWorld
	}
	if err := m.claim(s.Slot, s.Content, check); err != nil {
		return Signature{}, err
	}
	return s.sign(key), nil
}

// Signed is the content that was signed for a slot.
func (m *Memory) Signed(slot Slot) (world.Hash, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, ok := m.find(slot)
	return r.content, ok
}

// find looks for what fills a slot. The caller holds mu.
func (m *Memory) find(slot Slot) (remembered, bool) {
	i := slices.IndexFunc(m.filled, func(r remembered) bool { return r.slot == slot })
	if i < 0 {
		return remembered{}, false
	}
	return m.filled[i], true
}

// with is what is remembered after r, the oldest forgotten where there are too
// many of a kind. The caller holds mu.
func (m *Memory) with(r remembered) ([]remembered, [kinds]uint64) {
	i, _ := slices.BinarySearchFunc(m.filled, r, byAge)
	next, floor := slices.Insert(slices.Clone(m.filled), i, r), m.floor
	count, oldest := 0, -1
	for i, o := range next {
		if o.slot.Kind != r.slot.Kind {
			continue
		}
		count++
		if oldest < 0 && o != r { // r is about to be signed, however old
			oldest = i
		}
	}
	if count <= maxRemembered {
		return next, floor
	}
	floor[r.slot.Kind] = max(floor[r.slot.Kind], next[oldest].slot.Number+1)
	return slices.Delete(next, oldest, oldest+1), floor
}

// byAge is the order of a memory.
func byAge(a, b remembered) int {
	return cmp.Or(cmp.Compare(a.slot.Kind, b.slot.Kind), cmp.Compare(a.slot.Number, b.slot.Number))
}

// errNoMore is about a file with what no version of the programs has written: the
// format had room for a third kind, whose floor is written as zero.
var errNoMore = errors.New("it has statements of a kind that signers do not sign")

func encodeMemory(all []remembered, floor [kinds]uint64) []byte {
	var b []byte
	for _, f := range floor {
		b = postcard.AppendUint(b, f)
	}
	b = postcard.AppendUint(b, 0)
	b = postcard.AppendUint(b, uint64(len(all)))
	for _, r := range all {
		b = r.slot.append(b)
		b = postcard.AppendArray(b, r.content[:])
	}
	return b
}

// decode reads what encodeMemory writes.
func (m *Memory) decode(b []byte) error {
	d := postcard.NewDecoder(b)
	for i := range m.floor {
		m.floor[i] = d.U64()
	}
	if d.U64() != 0 {
		d.Fail(errNoMore)
	}
	for i := range d.Count(minRemembered) {
		r := remembered{slot: readSlot(d)}
		if errors.Is(d.Err(), postcard.ErrVariant) {
			return errNoMore
		}
		d.Array(r.content[:])
		if d.Err() == nil && i > 0 && byAge(m.filled[i-1], r) >= 0 {
			d.Fail(postcard.ErrOrder)
		}
		m.filled = append(m.filled, r)
	}
	return d.Finish()
}
