package moving

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"

	"github.com/culvert-net/culvert/internal/files"
)

// Names in a data directory.
const (
	// Dir holds one directory for each world that the node has left, by its id.
	Dir = "worlds"
	// worldFile says which world a directory is in. It is the one file that is
	// never absent: it is replaced in one step, which also says how far a swap is.
	worldFile = "world.toml"
)

// Plan is what is swapped.
type Plan struct {
	From, To string   // ids of the two worlds, 64 hexadecimal digits each
	World    []byte   // content of the new world's file
	Files    []string // patterns (path.Match) of files and directories that belong to a world, but for its file
}

// Swap moves the data directory dir into another world. It may be called again
// after an error, with the same plan.
func Swap(dir string, p Plan) error { return (&mover{disk: osDisk{}, dir: dir}).swap(p) }

// Finish completes a swap that was cut short. Without one it does nothing.
func Finish(dir string) error { return (&mover{disk: osDisk{}, dir: dir}).finish() }

// Left is where a data directory keeps what belongs to a world that it left.
func Left(dir, id string) string { return filepath.Join(dir, Dir, id) }

// mover swaps the world of one directory.
type mover struct {
	disk disk
	dir  string
}

func (m *mover) swap(p Plan) error {
	if err := m.finish(); err != nil {
		return err
	}
	j := journal{From: p.From, To: p.To}
	var err error
	if j.Files, err = m.belong(p); err != nil {
		return err
	}
	if err := j.check(); err != nil {
		return err
	}
	if err := m.prepare(j, p.World); err != nil {
		return fmt.Errorf("preparing the move: %w", err)
	}
	// From here on the node is in the new world, whoever completes this.
	if err := m.disk.write(m.path(journalFile), j.format()); err != nil {
		return fmt.Errorf("beginning the move: %w", err)
	}
	return m.finish()
}

// belong are the names of all files that belong to one of the two worlds.
func (m *mover) belong(p Plan) ([]string, error) {
	names := []string{}
	for _, dir := range []string{m.dir, Left(m.dir, p.To)} {
		entries, err := os.ReadDir(dir)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("looking for what belongs to the world: %w", err)
		}
		for _, e := range entries {
			for _, pattern := range p.Files {
				if is, err := path.Match(pattern, e.Name()); err != nil {
					return nil, fmt.Errorf("looking for %q: %w", pattern, err)
				} else if is && !slices.Contains(names, e.Name()) {
					names = append(names, e.Name())
				}
			}
		}
	}
	return names, nil
}

// prepare makes both worlds' directories, each with its world file.
func (m *mover) prepare(j journal, to []byte) error {
	from, err := os.ReadFile(m.path(worldFile))
	if err != nil {
		return err
	}
	for id, text := range map[string][]byte{j.From: from, j.To: to} {
		if err := m.disk.mkdir(Left(m.dir, id)); err != nil {
			return err
		}
		if err := m.disk.write(filepath.Join(Left(m.dir, id), worldFile), text); err != nil {
			return err
		}
	}
	return nil
}

// finish does what the journal says, as far as it is not done. Each step may be
// cut short, and done again.
func (m *mover) finish() error {
	j, err := readJournal(m.path(journalFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = m.carryOut(j)
	}
	if err != nil {
		return fmt.Errorf("completing a move to another world in %s: %w", m.dir, err)
	}
	return nil
}

func (m *mover) carryOut(j journal) error {
	from, to := Left(m.dir, j.From), Left(m.dir, j.To)
	waiting := filepath.Join(to, worldFile)
	switch there, err := exists(waiting); {
	case err != nil:
		return err
	case there: // so what is here belongs to the old world
		if err := m.moveAll(j.Files, m.dir, from); err != nil {
			return err
		}
		if err := m.disk.rename(waiting, m.path(worldFile)); err != nil {
			return err
		}
		// Durable before anything of the new world comes here, which would be
		// taken for the old one's.
		if err := errors.Join(m.disk.sync(m.dir), m.disk.sync(to)); err != nil {
			return err
		}
	}
	if err := m.moveAll(j.Files, to, m.dir); err != nil {
		return err
	}
	// It is empty, unless somebody put a file of their own there.
	if empty, err := isEmpty(to); err != nil {
		return err
	} else if empty {
		if err := m.disk.remove(to); err != nil {
			return err
		}
	}
	if err := m.disk.remove(m.path(journalFile)); err != nil {
		return err
	}
	return m.disk.sync(m.dir)
}

// moveAll moves what there is of the named files.
func (m *mover) moveAll(names []string, from, to string) error {
	for _, name := range names {
		there, err := exists(filepath.Join(from, name))
		if err != nil {
			return err
		}
		if !there {
			continue
		}
		if err := m.disk.rename(filepath.Join(from, name), filepath.Join(to, name)); err != nil {
			return err
		}
	}
	if there, err := exists(from); err != nil || !there {
		return err
	}
	return errors.Join(m.disk.sync(to), m.disk.sync(from))
}

func (m *mover) path(name string) string { return filepath.Join(m.dir, name) }

func exists(path string) (bool, error) {
	_, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

func isEmpty(dir string) (bool, error) {
	all, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil && len(all) == 0, err
}

// disk is what a swap does to files; what it only looks at is not among it.
type disk interface {
	// mkdir makes a directory and those above it; it may be there.
	mkdir(path string) error
	// write replaces a file: on return it is on the disk.
	write(path string, data []byte) error
	// rename moves a file, over one that is there, or a directory.
	rename(from, to string) error
	// remove removes a file or an empty directory.
	remove(path string) error
	// sync makes what happened to the entries of a directory durable.
	sync(dir string) error
}

type osDisk struct{}

var _ disk = osDisk{}

func (osDisk) mkdir(path string) error              { return os.MkdirAll(path, 0o700) }
func (osDisk) write(path string, data []byte) error { return files.Write(path, data, files.Private) }
func (osDisk) rename(from, to string) error         { return os.Rename(from, to) }
func (osDisk) remove(path string) error             { return os.Remove(path) }
func (osDisk) sync(dir string) error                { return files.SyncDir(dir) }
