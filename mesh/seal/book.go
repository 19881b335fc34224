package seal

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/culvert-net/culvert/mesh/quorum"
	"github.com/culvert-net/culvert/mesh/world"
	"github.com/culvert-net/culvert/mesh/world/postcard"
)

// Log is the event log as seals need it.
type Log interface {
	// Sealable is the ids of an epoch's events that a seal may name, in the order of
	// their bytes; with a time, of those that were here before it.
	Sealable(epoch uint64, before time.Time) ([]world.Hash, error)

	// Fingerprint changes with what is here of an epoch, and only with that.
	Fingerprint(epoch uint64) ([32]byte, error)

	// Outside is ids of such events that came after the epoch's seal.
	Outside(epoch uint64, limit int) ([]world.Hash, error)

	// Full reports whether the author of an event that is here has as many of that
	// type in that epoch as the log takes.
	Full(id world.Hash) (bool, error)

	// SetSeal closes an epoch, and Seal is what closed it, nil if nothing did. Once
	// closed, it stays so: SetSeal of another statement is an error.
	SetSeal(epoch uint64, statement []byte, ids []world.Hash) error
	Seal(epoch uint64) ([]byte, error)

	// Floor is the first epoch that was not dropped.
	Floor() (uint64, error)

	// SealedEpochs lists the epochs that are closed and not pruned, in order.
	SealedEpochs() ([]uint64, error)
}

// Proofs keeps that signers have lied: what they did does not end with a process.
type Proofs interface {
	// PutProof keeps one of an epoch. It is durable on return.
	PutProof(epoch uint64, proof []byte) error

	// Proofs are all that were kept.
	Proofs() ([][]byte, error)
}

// Book is the seals that are known here.
type Book struct {
	world  world.Hash    // immutable
	quorum quorum.Quorum // immutable
	log    Log           // immutable
	kept   Proofs        // immutable

	mu      sync.Mutex
	known   map[uint64]Seal                 // that the log has; guarded by mu
	pending map[uint64]*pending             // that it does not fit yet; guarded by mu
	proofs  map[uint64]quorum.Contradiction // guarded by mu
	unkept  map[uint64]bool                 // proofs that could not be written; guarded by mu
}

// pending is a seal whose events are not all here, or not known apart from those
// that came after it.
type pending struct {
	seal  Seal
	hints map[world.Hash]bool // ids that somebody says are outside
}

// NewBook reads the seals of a log, and what was kept of signers that lied.
func NewBook(w *world.World, log Log, kept Proofs) (*Book, error) {
	b := &Book{
		world: w.ID, quorum: quorum.Of(w), log: log, kept: kept, known: make(map[uint64]Seal),
		pending: make(map[uint64]*pending), proofs: make(map[uint64]quorum.Contradiction), unkept: make(map[uint64]bool),
	}
	if err := b.readProofs(); err != nil {
		return nil, err
	}
	epochs, err := log.SealedEpochs()
	if err != nil {
		return nil, err
	}
	for _, e := range epochs {
		raw, err := log.Seal(e)
		if err != nil {
			return nil, err
		}
		if b.known[e], err = Decode(raw); err != nil {
			return nil, fmt.Errorf("the seal of epoch %d: %w", e, err)
		}
	}
	return b, nil
}

// readProofs takes what was kept, each of which is checked again: it accuses.
func (b *Book) readProofs() error {
	all, err := b.kept.Proofs()
	if err != nil {
		return err
	}
	for _, raw := range all {
		c, err := quorum.DecodeContradiction(raw)
		if err == nil {
			_, err = c.Verify(b.world, b.quorum)
		}
		if err != nil {
			return fmt.Errorf("the proof of two seals: %w", err)
		}
		b.proofs[c.First.Slot.Number] = c
	}
	return nil
}

// ErrSeal is wrapped by errors about a seal that no honest member hands on.
var ErrSeal = errors.New("no seal of this world")

// ErrContradiction: t signers signed two seals of one epoch. The first one stands
// here; the proof says who lied.
var ErrContradiction = errors.New("two seals of one epoch")

// Set closes an epoch with a seal of exactly these ids.
func (b *Book) Set(s Seal, ids []world.Hash) error {
	if err := s.Verify(b.world, b.quorum); err != nil {
		return fmt.Errorf("%w: %w", ErrSeal, err)
	}
	if Of(b.world, s.Epoch, ids) != s.Body {
		return fmt.Errorf("%w: it is of other events", ErrSeal)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if known, err := b.compare(s); known || err != nil {
		return err
	}
	return b.close(s, ids)
}

// Learn takes a seal from a member, and ids that it says came after it.
func (b *Book) Learn(s Seal, outside []world.Hash) error {
	floor, err := b.log.Floor()
	if err != nil || s.Epoch < floor {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if old, ok := b.known[s.Epoch]; ok && old.Body == s.Body {
		return nil // it says nothing new, however it is signed
	}
	if err := s.Verify(b.world, b.quorum); err != nil {
		return fmt.Errorf("%w: %w", ErrSeal, err)
	}
	if known, err := b.compare(s); known || err != nil {
		return err
	}
	p := b.pending[s.Epoch]
	if p == nil {
		p = &pending{seal: s, hints: make(map[world.Hash]bool)}
		b.pending[s.Epoch] = p
		b.forget()
	}
	for _, id := range outside {
		if len(p.hints) < maxHints {
			p.hints[id] = true
		}
	}
	_, err = b.fit(p)
	return err
}

// compare reports whether what is known of the seal's epoch is this; something
// else is proof of a lie. The caller holds mu.
func (b *Book) compare(s Seal) (known bool, err error) {
	old, ok := b.known[s.Epoch]
	if p := b.pending[s.Epoch]; !ok && p != nil {
		old = p.seal
	} else if !ok {
		return false, nil
	}
	if old.Body == s.Body {
		return ok, nil
	}
	c := quorum.NewContradiction(old.signed(), s.signed())
	liars, err := c.Verify(b.world, b.quorum)
	if err != nil {
		return false, err
	}
	if _, proven := b.proofs[s.Epoch]; !proven && len(b.proofs) < maxProofs {
		b.proofs[s.Epoch], b.unkept[s.Epoch] = c, true
		_ = b.keepProofs() // it is known here whether or not it was written, and Retry writes it
	}
	return false, fmt.Errorf("%w, %d: signed both by %x", ErrContradiction, s.Epoch, liars)
}

// keepProofs writes the proofs that are not written yet. The caller holds mu.
func (b *Book) keepProofs() error {
	for _, epoch := range slices.Sorted(maps.Keys(b.unkept)) {
		c := b.proofs[epoch]
		if err := b.kept.PutProof(epoch, c.Canonical()); err != nil {
			return fmt.Errorf("keeping the proof of two seals of epoch %d: %w", epoch, err)
		}
		delete(b.unkept, epoch)
	}
	return nil
}

// Retry closes epochs whose seals are known if by now what they need is here, and
// reports how many. It forgets those of epochs that were dropped, though not what
// signers did there.
func (b *Book) Retry() (closed int, err error) {
	floor, err := b.log.Floor()
	if err != nil {
		return 0, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.keepProofs(); err != nil {
		return 0, err
	}
	maps.DeleteFunc(b.known, func(e uint64, _ Seal) bool { return e < floor })
	maps.DeleteFunc(b.pending, func(e uint64, _ *pending) bool { return e < floor })
	for _, epoch := range slices.Sorted(maps.Keys(b.pending)) {
		done, err := b.fit(b.pending[epoch])
		if err != nil {
			return closed, err
		}
		if done {
			closed++
		}
	}
	return closed, nil
}

// fit closes an epoch if what is here and not known to be late is what its seal
// says. The caller holds mu.
func (b *Book) fit(p *pending) (bool, error) {
	all, err := b.log.Sealable(p.seal.Epoch, time.Time{})
	if err != nil || uint64(len(all)) < p.seal.Count {
		return false, err
	}
	ids := all
	if uint64(len(all)) > p.seal.Count {
		ids = slices.DeleteFunc(slices.Clone(all), func(id world.Hash) bool { return p.hints[id] })
	}
	if uint64(len(ids)) != p.seal.Count || Of(b.world, p.seal.Epoch, ids) != p.seal.Body {
		return false, nil
	}
	return true, b.close(p.seal, ids)
}

// close writes a seal to the log. The caller holds mu.
func (b *Book) close(s Seal, ids []world.Hash) error {
	if err := b.log.SetSeal(s.Epoch, s.Canonical(), ids); err != nil {
		return err
	}
	b.known[s.Epoch] = s
	delete(b.pending, s.Epoch)
	return nil
}

// forget keeps as many seals that do not fit as travel. The caller holds mu.
func (b *Book) forget() {
	for len(b.pending) > maxCarried {
		delete(b.pending, slices.Min(slices.Collect(maps.Keys(b.pending))))
	}
}

// Sealed reports whether an epoch is closed here.
func (b *Book) Sealed(epoch uint64) (Seal, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s, ok := b.known[epoch]
	return s, ok
}

// Status is how seals stand.
type Status struct {
	Newest  uint64 // epoch that is closed
	Any     bool   // there is one
	Sealed  int
	Pending int // seals known whose events are not all here
	Proofs  int // epochs of which signers signed two
}

// Status is a copy of the moment.
func (b *Book) Status() Status {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := Status{Any: len(b.known) > 0, Sealed: len(b.known), Pending: len(b.pending), Proofs: len(b.proofs)}
	for e := range b.known {
		s.Newest = max(s.Newest, e)
	}
	return s
}

// Liars are the signers that have signed two seals of one epoch, in order.
func (b *Book) Liars() [][32]byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	found := make(map[[32]byte]bool)
	for _, c := range b.proofs {
		liars, _ := c.Verify(b.world, b.quorum) // as it was when it was taken
		for _, key := range liars {
			found[key] = true
		}
	}
	return slices.SortedFunc(maps.Keys(found), func(a, b [32]byte) int { return bytes.Compare(a[:], b[:]) })
}

// Items are the newest seals, as members hand them on: with each what is known to
// have come after it, as long as there is room.
func (b *Book) Items() ([][]byte, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var out [][]byte
	room := maxItems
	for _, s := range b.newest() {
		var late []world.Hash
		var err error
		if p := b.pending[s.Epoch]; p != nil {
			late = slices.SortedFunc(maps.Keys(p.hints), compare)
		} else if late, err = b.log.Outside(s.Epoch, maxHints); err != nil {
			return nil, err
		}
		item := appendIDs(postcard.AppendBytes(nil, s.Canonical()), late)
		if len(item) > room {
			item = appendIDs(postcard.AppendBytes(nil, s.Canonical()), nil)
		}
		if room -= len(item); room < 0 {
			break
		}
		out = append(out, item)
	}
	return out, nil
}

// newest are the seals that travel, the newest first. The caller holds mu.
func (b *Book) newest() []Seal {
	var all []Seal
	for _, s := range b.known {
		all = append(all, s)
	}
	for _, p := range b.pending {
		all = append(all, p.seal)
	}
	slices.SortFunc(all, func(x, y Seal) int { return compareEpochs(y.Epoch, x.Epoch) })
	return all[:min(len(all), maxCarried)]
}

func compareEpochs(a, b uint64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// Digest changes when a seal comes or begins to fit: as long as one does not,
// others may know what is late.
func (b *Book) Digest() [32]byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	text := []byte("seals")
	for _, s := range b.newest() {
		content := s.Statement().Content
		text = append(text, content[:]...)
		if _, waits := b.pending[s.Epoch]; waits {
			text = append(text, 1)
		}
	}
	return world.Sum(text)
}

// Merge takes what Items of another member's book gave. Errors that the other is to
// blame for wrap ErrSeal.
func (b *Book) Merge(items [][]byte) error {
	var lies error
	for _, it := range items {
		d := postcard.NewDecoder(it)
		raw := d.Bytes()
		late := readIDs(d, maxHints)
		err := d.Finish()
		var s Seal
		if err == nil {
			s, err = Decode(slices.Clone(raw))
		}
		if err != nil {
			return fmt.Errorf("%w: %w", ErrSeal, err)
		}
		switch err := b.Learn(s, late); {
		case errors.Is(err, ErrContradiction):
			lies = err // the bearer may well be honest, and what follows is good
		case err != nil:
			return err
		}
	}
	return lies
}
