package app

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// DataState is what can be seen of a data directory by looking at it.
type DataState struct {
	Mode     fs.FileMode
	Writable bool  // by this user
	InUse    bool  // a program holds its lock
	Format   error // what OpenData would say of its FORMAT
}

// InspectData looks at a data directory and changes nothing. Errors wrap
// fs.ErrNotExist if there is none.
//
// The lock is shared for the moment of looking, so that a program which starts
// in that very moment finds it taken.
func InspectData(dir, program string) (DataState, error) {
	info, err := os.Stat(dir)
	if err != nil {
		return DataState{}, fmt.Errorf("data directory: %w", err)
	}
	if !info.IsDir() {
		return DataState{}, fmt.Errorf("data directory: %s is not a directory", dir)
	}
	s := DataState{Mode: info.Mode().Perm(), Writable: canWrite(dir)}
	d := &Data{Dir: dir}
	text, err := os.ReadFile(d.Path(formatFile))
	switch {
	case err == nil:
		s.Format = checkFormat(d.Path(formatFile), text, program)
	case !os.IsNotExist(err):
		s.Format = err
	}
	lock, err := os.Open(filepath.Join(dir, lockFile))
	if err != nil {
		return s, nil // none yet, or not ours: then Writable says so
	}
	defer lock.Close()
	s.InUse = lockShared(lock) != nil
	return s, nil
}
