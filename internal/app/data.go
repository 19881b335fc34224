package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/culvert-net/culvert/internal/app/moving"
)

// Names inside every data directory.
const (
	ConfigFile = "config.toml"
	WorldFile  = "world.toml"
	formatFile = "FORMAT"
	lockFile   = "LOCK"
)

// dataFormat is the format of the data directories this program writes.
const dataFormat = 1

// DataDir is where a program keeps its data: flag if it is given, else the
// environment's CULVERT_DATA, else a directory of its own below the user's
// state directory.
func DataDir(flag, program string) (string, error) {
	dir := flag
	if dir == "" {
		dir = os.Getenv("CULVERT_DATA")
	}
	if dir == "" {
		state := os.Getenv("XDG_STATE_HOME")
		if state == "" {
			home, err := os.UserHomeDir()
			if err != nil {
				return "", Usage(fmt.Errorf("no home directory: %w; name a data directory with --data", err))
			}
			state = filepath.Join(home, ".local", "state")
		}
		dir = filepath.Join(state, "culvert", program)
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("data directory %s: %w", dir, err)
	}
	return abs, nil
}

// Data is an open data directory. It belongs to one process at a time.
type Data struct {
	Dir  string
	lock *os.File
}

// freeTries and freePause are how often, and after what pause, WaitData looks again:
// commands that have the files are done in a second.
const (
	freeTries = 20
	freePause = 100 * time.Millisecond
)

// WaitData is OpenData for a daemon: it waits a little for a command that has the
// directory. One that somebody typed must not keep a service from starting.
func WaitData(ctx context.Context, dir, program string) (*Data, error) {
	for try := 0; ; try++ {
		data, err := OpenData(dir, program)
		if !errors.Is(err, ErrInUse) || try == freeTries {
			return data, err
		}
		select {
		case <-time.After(freePause):
		case <-ctx.Done():
			return nil, err
		}
	}
}

// ErrInUse is wrapped when another process has a data directory.
var ErrInUse = errors.New("is in use")

// OpenData makes the directory if need be, takes its lock, checks its format and
// completes a move to another world that was cut short. The directory is one
// program's: a bridge's is no gateway's.
func OpenData(dir, program string) (*Data, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, Usage(fmt.Errorf("data directory: %w; choose one that this user may make, with --data", err))
	}
	if !canWrite(dir) {
		return nil, Usage(fmt.Errorf("data directory: %s cannot be written to by this user; run this as its owner, or choose another directory with --data", dir))
	}
	lock, err := os.OpenFile(filepath.Join(dir, lockFile), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	d := &Data{Dir: dir, lock: lock}
	if err := lockNow(lock); err != nil {
		_ = lock.Close()
		return nil, fmt.Errorf("data directory %s %w by another %s; stop that one, or choose another with --data", dir, ErrInUse, program)
	}
	if err = d.format(program); err == nil {
		err = moving.Finish(dir)
	}
	if err != nil {
		_ = d.Close()
		return nil, err
	}
	return d, nil
}

// format reads FORMAT, or writes it.
func (d *Data) format(program string) error {
	path := d.Path(formatFile)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		err = os.WriteFile(path, fmt.Appendf(nil, "%s %d\n", program, dataFormat), 0o600)
		if err != nil {
			return fmt.Errorf("data directory: %w", err)
		}
		return nil
	}
	if err != nil {
		return fmt.Errorf("data directory: %w", err)
	}
	return checkFormat(path, text, program)
}

// checkFormat reads the content of FORMAT, one line "<program> <number>".
func checkFormat(path string, text []byte, program string) error {
	name, number, _ := strings.Cut(strings.TrimSpace(string(text)), " ")
	n, err := strconv.Atoi(number)
	switch {
	case err != nil || n < 1:
		return Usage(fmt.Errorf("%s: line 1 is not \"%s %d\"; restore the file, or use another --data", path, program, dataFormat))
	case name != program:
		return Usage(fmt.Errorf("%s: this is the data directory of %q, not of %s; choose another with --data", path, name, program))
	case n > dataFormat:
		return Usage(fmt.Errorf("%s: format %d was written by a newer %s; this one knows formats up to %d, use the newer program", path, n, program, dataFormat))
	}
	return nil
}

// Path is the path of a file in the directory.
func (d *Data) Path(name string) string { return filepath.Join(d.Dir, name) }

// Close gives the directory back. It may be called twice.
func (d *Data) Close() error {
	// Closing the file drops the lock. A second close says "already closed".
	_ = d.lock.Close()
	return nil
}
