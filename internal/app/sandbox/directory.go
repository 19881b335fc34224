package sandbox

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/serve"
)

const (
	// temporary is how the names of temporary directories begin.
	temporary = "culvert-"

	// markFile says whose a data directory is (docs/conventions.md "Data").
	markFile = "FORMAT"

	// temporaryMark says that a directory is to go with its sandbox. A name says
	// it to nobody: people call their own directories culvert-something too.
	temporaryMark = "TEMPORARY"
)

// directory is where everything is kept, and what to do with it at the end. Its
// lock is ours until then: that is how others know that we live.
func (o *Options) directory() (string, func() error, error) {
	if o.Dir == "" {
		dir, err := os.MkdirTemp("", temporary)
		if err != nil {
			return "", nil, fmt.Errorf("making a temporary directory: %w; name one with --dir", err)
		}
		data, err := o.claim(dir)
		if err != nil {
			return "", nil, errors.Join(err, os.RemoveAll(dir))
		}
		if err := os.WriteFile(data.Path(temporaryMark), nil, 0o600); err != nil {
			return "", nil, errors.Join(err, os.RemoveAll(dir), data.Close())
		}
		return dir, func() error { return errors.Join(os.RemoveAll(dir), data.Close()) }, nil
	}
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return "", nil, fmt.Errorf("--dir %s: %w", o.Dir, err)
	}
	data, err := o.claim(dir)
	if err != nil {
		return "", nil, err
	}
	// One that was temporary, and is named now, is to be kept.
	if err := os.Remove(data.Path(temporaryMark)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", nil, errors.Join(err, data.Close())
	}
	return dir, data.Close, nil
}

// claim makes dir this sandbox's.
func (o *Options) claim(dir string) (*app.Data, error) {
	longest := fmt.Sprintf("provider-%d", o.Providers)
	if over := len(filepath.Join(dir, longest, serve.AdminSocket)) - serve.MaxSocketPath; over > 0 {
		return nil, app.Usage(fmt.Errorf("the path of %s is too long, by %d bytes, for the sockets of its nodes; choose a shorter --dir", dir, over))
	}
	data, err := app.OpenData(dir, program)
	if err == nil {
		return data, nil
	}
	// Every other program has --data for it.
	own := errors.New(strings.ReplaceAll(err.Error(), "--data", "--dir"))
	if app.Code(err) == app.ExitUsage {
		return nil, app.Usage(own)
	}
	return nil, own
}

// sweep removes the temporary directories, which have keys in them, of
// sandboxes that were killed, and returns how many. One counts as such if it is
// this user's, a sandbox marked it as its own and temporary, and none holds its
// lock.
func sweep(temp string) int {
	all, err := filepath.Glob(filepath.Join(temp, temporary+"*"))
	if err != nil {
		return 0 // only a name with a pattern in it, where there are none of ours
	}
	removed := 0
	for _, dir := range all {
		if removed == maxSweep {
			break
		}
		if stale(dir) {
			removed++
		}
	}
	return removed
}

// stale removes dir if it may, and reports whether it did.
func stale(dir string) bool {
	if info, err := os.Lstat(dir); err != nil || !info.IsDir() || !ours(info) {
		return false
	}
	// Written under the lock: a sandbox that has not got so far is no wreck.
	mark, err := os.ReadFile(filepath.Join(dir, markFile))
	if err != nil || !strings.HasPrefix(string(mark), program+" ") {
		return false
	}
	if _, err := os.Lstat(filepath.Join(dir, temporaryMark)); err != nil {
		return false
	}
	data, err := app.OpenData(dir, program)
	if err != nil {
		return false
	}
	defer data.Close()
	return os.RemoveAll(dir) == nil
}
