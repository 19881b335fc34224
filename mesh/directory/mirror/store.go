package mirror

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/culvert-net/culvert/mesh/directory/bundle"
	"github.com/culvert-net/culvert/mesh/quorum"
	"github.com/culvert-net/culvert/mesh/sealed"
	"github.com/culvert-net/culvert/mesh/world"
	"github.com/culvert-net/culvert/mesh/world/postcard"
)

// Files of a store.
const (
	bundleMagic sealed.Magic = "CULVBUN\x01"
	seenMagic   sealed.Magic = "CULVROO\x01"

	bundleName = "bundle-%020d.db" // sorted by name is sorted by epoch

	// Bundles matches the files of bundles, and seenFile holds what was believed.
	Bundles  = "bundle-*.db"
	seenFile = "roots.db"
)

// Files are patterns (path.Match) of all files of a store.
func Files() []string { return []string{seenFile, Bundles} }

// Config is what a Store needs.
type Config struct {
	World  *world.World  // required
	Quorum quorum.Quorum // required; whose signatures count

	// Dir is where the files are; it exists. Empty keeps nothing on disk.
	Dir string

	Log *slog.Logger // nil discards
}

// Store holds the newest bundles of a world, the newest root it ever believed,
// and proof that signers contradicted themselves, if there is any. Nothing in it
// is unverified.
type Store struct {
	cfg Config // immutable

	mu      sync.Mutex
	bundles []*bundle.Bundle             // newest first, at most keep; guarded by mu
	highest *bundle.SignedRoot           // nil for none yet; guarded by mu
	proof   *quorum.Contradiction        // nil while all is well; guarded by mu
	seen    map[uint64]bundle.SignedRoot // believed or not, of the last epochs; guarded by mu
	updated chan struct{}                // closed at the next change, then replaced; guarded by mu
}

// What keeps a root from being believed.
var (
	ErrForked = errors.New("directory signers signed two different roots of one epoch")
	ErrLower  = errors.New("an older root than one that was seen before")
)

// Open reads what is on disk. A bundle that cannot be used is named in the log
// and forgotten, since others have it; roots.db cannot be had again, so one that
// cannot be read is an error.
func Open(cfg Config) (*Store, error) {
	if err := cfg.Quorum.Check(); err != nil {
		return nil, err
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	s := &Store{cfg: cfg, seen: make(map[uint64]bundle.SignedRoot), updated: make(chan struct{})}
	if cfg.Dir == "" {
		return s, nil
	}
	if err := s.loadSeen(); err != nil {
		return nil, fmt.Errorf("the newest directory root seen, %s: %w; delete the file to forget it, "+
			"after which an older root would be believed again", filepath.Join(cfg.Dir, seenFile), err)
	}
	paths, err := filepath.Glob(filepath.Join(cfg.Dir, Bundles))
	if err != nil {
		return nil, fmt.Errorf("looking for bundles: %w", err)
	}
	slices.Sort(paths)
	for _, path := range paths {
		b, err := s.load(path)
		if err != nil {
			cfg.Log.Warn("directory bundle discarded", "file", path, "err", err)
			continue
		}
		s.insert(b)
	}
	return s, nil
}

func (s *Store) loadSeen() error {
	b, err := sealed.Read(filepath.Join(s.cfg.Dir, seenFile), seenMagic, s.cfg.World.ID, maxSeenFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	highest, proof, err := decodeSeen(b)
	if err != nil {
		return err
	}
	// Signers may have changed with the charter's world only, so both verify.
	if highest != nil {
		if err := highest.Verify(s.cfg.World.ID, s.cfg.Quorum); err != nil {
			return err
		}
		s.seen[highest.Epoch] = *highest
	}
	if proof != nil {
		if _, err := proof.Verify(s.cfg.World.ID, s.cfg.Quorum); err != nil {
			return err
		}
	}
	s.highest, s.proof = highest, proof
	return nil
}

func (s *Store) load(path string) (*bundle.Bundle, error) {
	raw, err := sealed.Read(path, bundleMagic, s.cfg.World.ID, bundle.MaxFile)
	if err != nil {
		return nil, err
	}
	b, err := bundle.Decode(raw)
	if err != nil {
		return nil, err
	}
	return b, b.Root.Verify(s.cfg.World.ID, s.cfg.Quorum)
}

// Saw notes a root that was shown, and verifies it. The error wraps ErrForked if
// it contradicts another one, of which proof is on disk then; else it says why
// the root is no root. A root that was seen need not be believed.
func (s *Store) Saw(r bundle.SignedRoot) error {
	if err := s.verify(r); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.saw(r)
}

// verify checks the signatures of a root, unless the very same were checked.
func (s *Store) verify(r bundle.SignedRoot) error {
	s.mu.Lock()
	old, ok := s.seen[r.Epoch]
	s.mu.Unlock()
	if ok && old.Root == r.Root && slices.Equal(old.Signatures, r.Signatures) {
		return nil
	}
	return r.Verify(s.cfg.World.ID, s.cfg.Quorum)
}

// saw is Saw for a root that was verified. The caller holds mu.
func (s *Store) saw(r bundle.SignedRoot) error {
	old, ok := s.seen[r.Epoch]
	switch {
	case !ok:
		s.seen[r.Epoch] = r
		for len(s.seen) > 2*keep {
			delete(s.seen, oldest(s.seen))
		}
	case old.ID() != r.ID():
		if s.proof == nil {
			c := quorum.NewContradiction(old.Signed(), r.Signed())
			if err := s.accuse(c); err != nil {
				return err
			}
		}
	}
	if s.proof != nil {
		return ErrForked
	}
	return nil
}

func oldest(seen map[uint64]bundle.SignedRoot) uint64 {
	first := uint64(1<<64 - 1)
	for e := range seen {
		first = min(first, e)
	}
	return first
}

// Accuse takes a proof from somebody else, after verifying it. From then on no
// root is believed.
func (s *Store) Accuse(c quorum.Contradiction) error {
	if _, err := c.Verify(s.cfg.World.ID, s.cfg.Quorum); err != nil {
		return err
	}
	if c.First.Slot.Kind != quorum.Root {
		return fmt.Errorf("%w: not about roots", quorum.ErrNoContradiction)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.proof != nil {
		return nil
	}
	return s.accuse(c)
}

// accuse keeps a proof. The caller holds mu.
func (s *Store) accuse(c quorum.Contradiction) error {
	if err := s.writeSeen(s.highest, &c); err != nil {
		return err
	}
	s.proof = &c
	s.touch()
	return nil
}

// Believe notes durably that r, which Saw took, is the newest root: no older one
// will be believed again. The error is ErrLower if r is an older one itself.
func (s *Store) Believe(r bundle.SignedRoot) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.believe(r)
}

func (s *Store) believe(r bundle.SignedRoot) error {
	switch {
	case s.proof != nil:
		return ErrForked
	case s.highest == nil || r.Epoch > s.highest.Epoch:
	case r.Epoch < s.highest.Epoch:
		return fmt.Errorf("%w: of epoch %d, after one of %d", ErrLower, r.Epoch, s.highest.Epoch)
	default:
		return nil // the same one: saw would have found out otherwise
	}
	if err := s.writeSeen(&r, nil); err != nil {
		return err
	}
	s.highest = &r
	return nil
}

// Put verifies a bundle, believes its root and keeps it.
func (s *Store) Put(b *bundle.Bundle) error {
	if err := s.verify(b.Root); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.saw(b.Root); err != nil {
		return err
	}
	if err := s.believe(b.Root); err != nil {
		return err
	}
	if len(s.bundles) > 0 && s.bundles[0].Root.ID() == b.Root.ID() {
		return nil
	}
	if s.cfg.Dir != "" {
		if err := sealed.Write(s.path(b.Root.Epoch), bundleMagic, s.cfg.World.ID, b.Encode()); err != nil {
			return fmt.Errorf("writing a directory bundle: %w", err)
		}
	}
	s.insert(b)
	s.touch()
	return nil
}

// insert puts a bundle in, and the oldest out. The caller holds mu, or has the
// store to itself.
func (s *Store) insert(b *bundle.Bundle) {
	if _, ok := s.seen[b.Root.Epoch]; !ok {
		s.seen[b.Root.Epoch] = b.Root
	}
	s.bundles = append(s.bundles, b)
	slices.SortFunc(s.bundles, func(a, b *bundle.Bundle) int { return cmp.Compare(b.Root.Epoch, a.Root.Epoch) })
	for len(s.bundles) > keep {
		last := s.bundles[len(s.bundles)-1]
		s.bundles = s.bundles[:len(s.bundles)-1]
		if s.cfg.Dir != "" {
			if err := os.Remove(s.path(last.Root.Epoch)); err != nil {
				s.cfg.Log.Warn("old directory bundle not removed", "err", err)
			}
		}
	}
}

// Newest is the newest bundle, nil for none.
func (s *Store) Newest() *bundle.Bundle {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.bundles) == 0 {
		return nil
	}
	return s.bundles[0]
}

// Find is the bundle of a root, nil if it is not here.
func (s *Store) Find(root world.Hash) *bundle.Bundle {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, b := range s.bundles {
		if b.Root.ID() == root {
			return b
		}
	}
	return nil
}

// Roots are those of the bundles here, newest first.
func (s *Store) Roots() []bundle.SignedRoot {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]bundle.SignedRoot, 0, len(s.bundles))
	for _, b := range s.bundles {
		out = append(out, b.Root)
	}
	return out
}

// Highest is the newest root that was ever believed, nil for none.
func (s *Store) Highest() *bundle.SignedRoot {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.highest
}

// Proof is proof that signers contradicted themselves, nil while all is well.
func (s *Store) Proof() *quorum.Contradiction {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.proof
}

// Forked says what ErrForked does, with the epoch, who did it, and what is left
// to do; nil while all is well.
func (s *Store) Forked() error {
	proof := s.Proof()
	if proof == nil {
		return nil
	}
	liars, err := proof.Verify(s.cfg.World.ID, s.cfg.Quorum)
	if err != nil {
		return err // verified before it was kept
	}
	var names []string
	for _, key := range liars {
		names = append(names, world.Hash(key).Short())
	}
	where := "in memory"
	if s.cfg.Dir != "" {
		where = filepath.Join(s.cfg.Dir, seenFile)
	}
	return fmt.Errorf("%w (epoch %d, signers %v; the proof is %s): this world's directory is not to be trusted until its founders say so",
		ErrForked, proof.First.Slot.Number, names, where)
}

// Updated is closed when there is another newest bundle, or proof.
func (s *Store) Updated() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.updated
}

// touch makes a change visible. The caller holds mu.
func (s *Store) touch() {
	close(s.updated)
	s.updated = make(chan struct{})
}

func (s *Store) path(epoch uint64) string {
	return filepath.Join(s.cfg.Dir, fmt.Sprintf(bundleName, epoch))
}

func (s *Store) writeSeen(highest *bundle.SignedRoot, proof *quorum.Contradiction) error {
	if s.cfg.Dir == "" {
		return nil
	}
	b := encodeSeen(highest, proof)
	if err := sealed.Write(filepath.Join(s.cfg.Dir, seenFile), seenMagic, s.cfg.World.ID, b); err != nil {
		return fmt.Errorf("remembering a directory root: %w", err)
	}
	return nil
}

func encodeSeen(highest *bundle.SignedRoot, proof *quorum.Contradiction) []byte {
	b := postcard.AppendBool(nil, highest != nil)
	if highest != nil {
		b = highest.Append(b)
	}
	b = postcard.AppendBool(b, proof != nil)
	if proof != nil {
		b = append(b, proof.Canonical()...)
	}
	return b
}

func decodeSeen(b []byte) (highest *bundle.SignedRoot, proof *quorum.Contradiction, err error) {
	d := postcard.NewDecoder(b)
	if d.Bool() {
		r := bundle.ReadSignedRoot(d)
		highest = &r
	}
	if d.Bool() {
		c := quorum.ReadContradiction(d)
		proof = &c
	}
	return highest, proof, d.Finish()
}
