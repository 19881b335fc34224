package directory

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"time"

	"github.com/culvert-net/culvert/internal/files"
	"github.com/culvert-net/culvert/mesh/sealed"
	"github.com/culvert-net/culvert/mesh/world"
	"github.com/culvert-net/culvert/mesh/world/postcard"
)

// cache is the set on disk, so that a node that starts again has one before
// any seed answers, and knows what it published last. It may be lost at any
// time: what is in it is verified like what comes from a seed.
type cache struct {
	path string // "" for none
	set  *Set

	mu    sync.Mutex
	saved *Snapshot // what the file holds; guarded by mu
	asOf  time.Time // when a seed last said what the set holds; guarded by mu
}

// load reads the file. A missing one is no error. The file's time is not when
// it was written but when a seed last answered, so that the age of what it
// holds survives any number of starts without one; when is that time.
func (c *cache) load() (ds []world.Descriptor, when time.Time, err error) {
	if ds, err = c.read(); len(ds) == 0 {
		return ds, time.Time{}, err
	}
	info, err := os.Stat(c.path)
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("directory cache: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asOf = info.ModTime()
	return ds, c.asOf, nil
}

func (c *cache) read() ([]world.Descriptor, error) {
	if c.path == "" {
		return nil, nil
	}
	b, err := sealed.ReadLimited(c.path, maxCacheFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err == nil {
		var ds []world.Descriptor
		if ds, err = decodeCache(c.set.world.ID, b); err == nil {
			return ds, nil
		}
	}
	return nil, fmt.Errorf("directory cache %s: %w", c.path, err)
}

// fetched notes that a seed has answered.
func (c *cache) fetched(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asOf = now
}

// save writes the set if it is not what the file holds.
func (c *cache) save() error {
	if c.path == "" {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	snap := c.set.Snapshot()
	if snap == c.saved {
		return nil
	}
	if err := files.Write(c.path, encodeCache(snap), files.Private); err != nil {
		return fmt.Errorf("writing the directory cache: %w", err)
	}
	c.saved = snap
	if c.asOf.IsZero() {
		return nil
	}
	if err := os.Chtimes(c.path, c.asOf, c.asOf); err != nil {
		return fmt.Errorf("dating the directory cache: %w", err)
	}
	return nil
}

// cacheMagic marks directory.db.
const cacheMagic sealed.Magic = "CULVDIR\x01"

func encodeCache(snap *Snapshot) []byte {
	ds := snap.Descriptors()
	raw := make([][]byte, 0, len(ds))
	for i := range ds {
		raw = append(raw, ds[i].Canonical())
	}
	return sealed.Seal(cacheMagic, snap.World(), appendDescriptors(nil, raw))
}

func decodeCache(id world.Hash, b []byte) ([]world.Descriptor, error) {
	payload, err := sealed.Unseal(cacheMagic, id, b)
	if err != nil {
		return nil, err
	}
	d := postcard.NewDecoder(payload)
	raw := readDescriptors(d)
	if err := d.Finish(); err != nil {
		return nil, err
	}
	ds, _ := decodeDescriptors(raw)
	return ds, nil
}
