package roster

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/culvert-net/culvert/internal/files"
	"github.com/culvert-net/culvert/mesh/world"
)

// boxDir has a file of boxes for each entry, named by the entry's hash. Only
// members can open them, but who the members are is nobody else's business.
const boxDir = "boxes"

// PutBoxes keeps the boxes of an entry that is known.
func (c *Chain) PutBoxes(b Boxes) error {
	if err := c.roster.CheckBoxes(b); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.writeBoxes(b)
}

// writeBoxes keeps boxes that were checked. The caller holds mu.
func (c *Chain) writeBoxes(b Boxes) error {
	dir := filepath.Join(c.dir, boxDir)
	err := os.Mkdir(dir, 0o700)
	if err == nil {
		err = files.SyncDir(c.dir)
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("keeping boxes: %w", err)
	}
	return files.Write(filepath.Join(dir, b.Entry.String()), b.Canonical(), files.Private)
}

// Boxes are the boxes of an entry, for members that were away when it was made.
// The error wraps fs.ErrNotExist if they are not here.
func (c *Chain) Boxes(entry world.Hash) (Boxes, error) {
	raw, err := readFile(filepath.Join(c.dir, boxDir, entry.String()), maxBoxes)
	if err != nil {
		return Boxes{}, fmt.Errorf("boxes of entry %s: %w", entry.Short(), err)
	}
	b, err := DecodeBoxes(raw)
	if err == nil {
		err = c.roster.CheckBoxes(b)
	}
	if err != nil {
		return Boxes{}, fmt.Errorf("boxes of entry %s: %w: %w", entry.Short(), ErrDamaged, err)
	}
	return b, nil
}

// PruneBoxes deletes boxes of masters that nobody needs any more, and those of
// entries that never came.
func (c *Chain) PruneBoxes(now time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	list, err := os.ReadDir(filepath.Join(c.dir, boxDir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	needed := c.roster.needed(now)
	for _, f := range list {
		entry, bad := world.ParseHash(f.Name())
		if bad != nil && !strings.HasPrefix(f.Name(), ".") || bad == nil && slices.Contains(needed, entry) {
			continue // not ours, or needed; what begins with a dot was not written whole
		}
		if rm := os.Remove(filepath.Join(c.dir, boxDir, f.Name())); !errors.Is(rm, fs.ErrNotExist) {
			err = errors.Join(err, rm)
		}
	}
	if err != nil {
		return fmt.Errorf("deleting old boxes: %w", err)
	}
	return nil
}

// needed are the entries whose masters the epochs within the horizon use, on
// every branch.
func (r *Roster) needed(now time.Time) []world.Hash {
	w := r.rules.world
	horizon := w.Epoch(now.Add(-r.rules.terms.Horizon))
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []world.Hash
	for _, n := range r.nodes {
		if n.parent == nil {
			continue
		}
		// A master is used until the epoch after the one its successor was made in
		// begins: TargetRefs of an epoch keep the generation that it began with.
		used := len(n.children) == 0
		for _, c := range n.children {
			used = used || c.entry.Epoch >= horizon
		}
		if used {
			out = append(out, n.hash)
		}
	}
	return out
}
