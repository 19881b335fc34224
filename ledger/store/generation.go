package store

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"

	"github.com/culvert-net/culvert/internal/files"
	"github.com/culvert-net/culvert/internal/kv"
)

// generation is how new a store is. It stands in the store, where each group
// raises it, and in a second file that follows: a copy that is put back in the
// place of the store is older than the file.
type generation struct {
	restores uint64 // how often the store was found to be a copy
	commits  uint64
}

func (g generation) before(other generation) bool {
	return g.restores < other.restores || g.restores == other.restores && g.commits < other.commits
}

// reserved is the bucket of the package's own records.
const reserved = "generation"

var (
	keyGeneration = []byte("generation")
	keyRestored   = []byte("restored") // is there until Settle
)

// generationOf reads the generation of a store; one that is new has zeros.
func generationOf(tx kv.Tx) (g generation, err error) {
	b, err := tx.Get(reserved, keyGeneration)
	if errors.Is(err, kv.ErrNotFound) {
		return g, nil
	}
	if err != nil {
		return g, err
	}
	if len(b) != 16 {
		return g, fmt.Errorf("%w: a generation of %d bytes", kv.ErrDamaged, len(b))
	}
	return generation{restores: binary.BigEndian.Uint64(b), commits: binary.BigEndian.Uint64(b[8:])}, nil
}

func (g generation) put(tx kv.Tx) error {
	b := binary.BigEndian.AppendUint64(nil, g.restores)
	return tx.Put(reserved, keyGeneration, binary.BigEndian.AppendUint64(b, g.commits))
}

// The second file is one line of a fixed length, which lies within a sector: it
// is written over in place.
const (
	fileForm = "culvert ledger generation 1: %020d restores, %020d commits"
	fileSize = len("culvert ledger generation 1: ") + 20 + len(" restores, ") + 20 + len(" commits") + len(", 00000000\n")
)

func (g generation) line() []byte {
	text := fmt.Appendf(nil, fileForm, g.restores, g.commits)
	return fmt.Appendf(text, ", %08x\n", crc32.ChecksumIEEE(text))
}

// parseLine reads what line wrote.
func parseLine(b []byte) (g generation, err error) {
	if _, err := fmt.Sscanf(string(b), fileForm, &g.restores, &g.commits); err != nil || string(g.line()) != string(b) {
		return generation{}, errors.New("it is not what was written; remove it, and the store is taken for a restored copy, which is safe")
	}
	return g, nil
}

// readFile is what the second file says, and whether there is one.
func readFile(path string) (g generation, found bool, err error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return g, false, nil
	}
	if err == nil {
		g, err = parseLine(b)
	}
	if err != nil {
		return g, false, fmt.Errorf("generation file %s: %w", path, err)
	}
	return g, true, nil
}

// witness is the second file while a store is open.
type witness struct{ file *os.File }

// openWitness makes the file say g, on the disk, and opens it.
func openWitness(path string, g generation) (*witness, error) {
	if err := files.Write(path, g.line(), files.Private); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return nil, err
	}
	return &witness{file}, nil
}

// note writes g, without waiting for the disk: after a loss of power the file
// may be older than the store, which is what a store that was not restored
// looks like. A process that is killed leaves what it wrote.
func (w *witness) note(g generation) error {
	_, err := w.file.WriteAt(g.line(), 0)
	return err
}

func (w *witness) Close() error { return errors.Join(w.file.Sync(), w.file.Close()) }

// compare finds out whether the store is a copy, and makes it and the file
// agree. At every step a crash leaves what gives the same answer again.
func compare(ctx context.Context, s kv.Store, c Config) (g generation, restored bool, err error) {
	seen, found, err := readFile(c.Generation)
	if err != nil {
		return g, false, err
	}
	err = s.View(ctx, func(tx kv.Tx) error {
		if g, err = generationOf(tx); err != nil {
			return err
		}
		_, err = tx.Get(reserved, keyRestored)
		if restored = err == nil; errors.Is(err, kv.ErrNotFound) {
			err = nil
		}
		return err
	})
	if err != nil {
		return g, false, err
	}
	isNew := g == generation{}
	if found && !g.before(seen) || !found && (isNew || c.Join) {
		return g, restored, nil
	}
	// Others that have the store open notice that restores has risen.
	err = s.Update(ctx, func(tx kv.Tx) error {
		now, err := generationOf(tx)
		if err != nil {
			return err
		}
		if now.before(seen) {
			now = seen
		}
		g = generation{restores: now.restores + 1, commits: now.commits}
		return errors.Join(g.put(tx), tx.Put(reserved, keyRestored, nil))
	})
	return g, true, err
}
