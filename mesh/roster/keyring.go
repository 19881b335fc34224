package roster

import (
	"cmp"
	"crypto/ecdh"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"sync"
	"time"

	"github.com/culvert-net/culvert/internal/files"
	"github.com/culvert-net/culvert/mesh/world"
	"github.com/culvert-net/culvert/mesh/world/postcard"
)

// Keyring holds a member's share of the group: its wrap key, and the masters
// that were sealed to it. All of it is in one file, as plain bytes that only
// their owner can read: whoever reads that directory is that member.
type Keyring struct {
	path   string  // immutable
	roster *Roster // immutable

	mu      sync.Mutex
	wrap    *ecdh.PrivateKey // immutable after OpenKeyring
	masters []held           // sorted by generation and entry; guarded by mu
}

// held is the master of one entry. Two branches have two of one generation.
type held struct {
	generation uint64
	entry      world.Hash
	master     *world.Secret
}

// Format hides the keys from every verb of package fmt, and so from slog.
func (*Keyring) Format(w fmt.State, _ rune) { _, _ = io.WriteString(w, "roster.Keyring(hidden)") }

// MarshalText hides the keys from encoding/json and slog's JSON handler.
func (*Keyring) MarshalText() ([]byte, error) { return []byte("roster.Keyring(hidden)"), nil }

// Format is as Keyring's: one verb that does not fit prints what pointers point to.
func (held) Format(w fmt.State, _ rune) { _, _ = io.WriteString(w, "master(hidden)") }

// OpenKeyring reads the keys at path; if there are none it makes a wrap key and
// writes it. Masters are found by the roster's line of entries.
func OpenKeyring(path string, r *Roster) (*Keyring, error) {
	k := &Keyring{path: path, roster: r}
	if err := files.CheckPrivate(path); errors.Is(err, files.ErrNotPrivate) {
		return nil, fmt.Errorf("group keys: whoever has them reads what members say: %w", err)
	}
	b, err := readFile(path, maxKeyFile)
	if errors.Is(err, fs.ErrNotExist) {
		if k.wrap, err = ecdh.X25519().GenerateKey(rand.Reader); err == nil {
			err = k.write(nil)
		}
		if err != nil {
			return nil, fmt.Errorf("making the wrap key: %w", err)
		}
		return k, nil
	}
	if err == nil {
		defer clear(b)
		err = k.decode(b)
	}
	if err != nil {
		return nil, fmt.Errorf("group keys %s: %w; without them this member has to be removed and invited anew", path, err)
	}
	return k, nil
}

// Wrap is the public half of the wrap key, for the roster.
func (k *Keyring) Wrap() [32]byte { return [32]byte(k.wrap.PublicKey().Bytes()) }

// Open takes our master out of an entry's boxes.
func (k *Keyring) Open(self Key, b Boxes) error {
	if err := k.roster.CheckBoxes(b); err != nil {
		return err
	}
	box, ok := b.For(self)
	if !ok {
		return fmt.Errorf("boxes of entry %s: %w", b.Entry.Short(), ErrBox)
	}
	return k.Put(b.Entry, box)
}

// Put opens our box of an entry that the roster knows, and keeps the master: it
// is on the disk when Put returns nil.
func (k *Keyring) Put(entry world.Hash, box Box) error {
	e, ok := k.roster.Entry(entry)
	if !ok {
		return fmt.Errorf("box of entry %s: %w", entry.Short(), ErrParent)
	}
	master, err := OpenBox(e.World, e.Generation, k.wrap, box, e.MasterHash)
	if err != nil {
		return fmt.Errorf("box of entry %s, generation %d: %w", entry.Short(), e.Generation, err)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.find(entry) != nil {
		master.Erase()
		return nil
	}
	list := append(slices.Clone(k.masters), held{generation: e.Generation, entry: entry, master: master})
	slices.SortFunc(list, byEntry)
	return k.set(list)
}

func byEntry(a, b held) int {
	return cmp.Or(cmp.Compare(a.generation, b.generation), slices.Compare(a.entry[:], b.entry[:]))
}

// set writes a list and then takes it over. The caller holds mu.
func (k *Keyring) set(list []held) error {
	if len(list) > maxMasters {
		return fmt.Errorf("group keys: %d masters; at most %d are kept", len(list), maxMasters)
	}
	if err := k.write(list); err != nil {
		return fmt.Errorf("writing the group keys: %w", err)
	}
	k.masters = list
	return nil
}

// find is the master of an entry, nil if it is not here. The caller holds mu.
func (k *Keyring) find(entry world.Hash) *world.Secret {
	i := slices.IndexFunc(k.masters, func(h held) bool { return h.entry == entry })
	if i < 0 {
		return nil
	}
	return k.masters[i].master
}

// Has reports whether the master of an entry is here.
func (k *Keyring) Has(entry world.Hash) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.find(entry) != nil
}

// Newest is the newest generation on the roster's line whose master is here.
func (k *Keyring) Newest() (generation uint64, ok bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	n := k.newest()
	if n == nil {
		return 0, false
	}
	return n.entry.Generation, true
}

// Speaks is Newest with the generation's entry.
func (k *Keyring) Speaks() (generation uint64, entry world.Hash, ok bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	n := k.newest()
	if n == nil {
		return 0, world.Hash{}, false
	}
	return n.entry.Generation, n.hash, true
}

func (k *Keyring) newest() *node {
	return k.roster.newest(func(n *node) bool { return k.find(n.hash) != nil })
}

// EpochKey is an epoch's control-plane key under the newest master that is
// here: the one from which topics, push and sync keys are derived, by label.
func (k *Keyring) EpochKey(epoch uint64) (*world.Secret, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	n := k.newest()
	if n == nil {
		return nil, fmt.Errorf("key of epoch %d: %w; is this node a member?", epoch, ErrNoMaster)
	}
	return world.ControlPlaneKey(k.find(n.hash), k.roster.rules.world.ID, epoch), nil
}

// EntryKey is an epoch's control-plane key under the master of one entry: the one
// that is the head of a member we speak with.
func (k *Keyring) EntryKey(entry world.Hash, epoch uint64) (*world.Secret, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	master := k.find(entry)
	if master == nil {
		return nil, fmt.Errorf("key of epoch %d under entry %s: %w", epoch, entry.Short(), ErrNoMaster)
	}
	return world.ControlPlaneKey(master, k.roster.rules.world.ID, epoch), nil
}

// TargetKey is the control-plane key that an epoch's TargetRefs are made with,
// under the generation that the epoch began with. A newcomer has it from the
// epoch after the one it was admitted in.
func (k *Keyring) TargetKey(epoch uint64) (*world.Secret, error) {
	generation, entry, ok := k.roster.AtStart(epoch)
	k.mu.Lock()
	defer k.mu.Unlock()
	master := k.find(entry)
	if !ok || master == nil {
		return nil, fmt.Errorf("target key of epoch %d: generation %d: %w", epoch, generation, ErrNoMaster)
	}
	return world.ControlPlaneKey(master, k.roster.rules.world.ID, epoch), nil
}

// Forget erases the masters of epochs beyond the horizon.
func (k *Keyring) Forget(now time.Time) error {
	needed := k.roster.needed(now)
	k.mu.Lock()
	defer k.mu.Unlock()
	var keep, drop []held
	for _, h := range k.masters {
		if slices.Contains(needed, h.entry) {
			keep = append(keep, h)
		} else {
			drop = append(drop, h)
		}
	}
	if len(drop) == 0 {
		return nil
	}
	if err := k.set(keep); err != nil {
		return err
	}
	for _, h := range drop {
		h.master.Erase()
	}
	return nil
}

// write replaces the file.
func (k *Keyring) write(list []held) error {
	const each = 10 + 32 + 32
	// Made large enough at once: a slice that grows leaves copies behind.
	b := make([]byte, 0, headSize+32+10+len(list)*each+32)
	defer func() { clear(b[:cap(b)]) }()
	b = append(b, fileHead(keyMagic, k.roster.rules.world.ID)...)
	wrap := k.wrap.Bytes()
	b = postcard.AppendArray(b, wrap)
	clear(wrap)
	b = postcard.AppendUint(b, uint64(len(list)))
	for _, h := range list {
		b = postcard.AppendUint(b, h.generation)
		b = postcard.AppendArray(b, h.entry[:])
		raw := h.master.Reveal()
		b = postcard.AppendArray(b, raw[:])
		clear(raw[:])
	}
	sum := world.Sum(b)
	b = append(b, sum[:]...)
	return files.Write(k.path, b, files.Private)
}

// decode reads what write wrote.
func (k *Keyring) decode(b []byte) error {
	if err := checkHead(keyMagic, k.roster.rules.world.ID, b); err != nil {
		return err
	}
	end := len(b) - len(world.Hash{})
	if end < headSize || world.Sum(b[:end]) != world.Hash(b[end:]) {
		return fmt.Errorf("%w: its checksum does not match", ErrDamaged)
	}
	d := postcard.NewDecoder(b[headSize:end])
	var raw [32]byte
	defer clear(raw[:])
	d.Array(raw[:])
	wrap, err := ecdh.X25519().NewPrivateKey(raw[:])
	if err != nil {
		return fmt.Errorf("%w: its wrap key", ErrDamaged)
	}
	k.wrap = wrap
	for range d.Count(1 + 32 + 32) {
		var h held
		h.generation = d.U64()
		d.Array(h.entry[:])
		d.Array(raw[:])
		h.master = world.NewSecret(raw)
		k.masters = append(k.masters, h)
	}
	if d.Finish() != nil || !slices.IsSortedFunc(k.masters, byEntry) {
		return fmt.Errorf("%w: its masters", ErrDamaged)
	}
	return nil
}
