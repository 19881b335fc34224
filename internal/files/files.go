// Package files keeps small files safe: written whole or not at all, and
// readable by their owner only.
//
// Write replaces a file, WriteNew makes one where there is none, CheckPrivate
// refuses one that others can read. None is for files of many megabytes, nor for
// logs: use a store that appends. The package knows no formats. Its functions may
// be called concurrently; of two Writes to one path the later one wins, whole, and
// of two WriteNews the first.
//
// Implements: docs/conventions.md "Data".
package files

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// Private is the mode of what a program keeps for itself.
const Private fs.FileMode = 0o600

// Write replaces the file at path by data, with the given mode. After a crash
// at any moment the file holds the old bytes or the new ones; on return the
// new ones are on the disk.
func Write(path string, data []byte, mode fs.FileMode) error {
	return write(path, data, mode, os.Rename)
}

// WriteNew is Write for a file that must not be there yet: one that is stays as
// it is, and the error wraps fs.ErrExist.
func WriteNew(path string, data []byte, mode fs.FileMode) error {
	return write(path, data, mode, func(tmp, path string) error {
		err := os.Link(tmp, path)
		if err != nil && !errors.Is(err, fs.ErrExist) {
			err = exclusive(path, data, mode) // a file system without links
		}
		if err != nil {
			return err
		}
		return os.Remove(tmp)
	})
}

// exclusive makes a file where a link cannot be made. A crash may leave a part of
// it, which is no reason to overwrite it either.
func exclusive(path string, data []byte, mode fs.FileMode) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		_ = os.Remove(path) // what failed is told by err
	}
	return err
}

// write fills a file of chance's name beside path, which place then puts there.
func write(path string, data []byte, mode fs.FileMode, place func(tmp, path string) error) (err error) {
	dir := filepath.Dir(path)
	tmp, err := os.CreateTemp(dir, "."+filepath.Base(path)+".*") // made 0600
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	defer func() {
		if err != nil {
			_ = tmp.Close()           // closed already, or as good as
			_ = os.Remove(tmp.Name()) // what failed is told by err
			err = fmt.Errorf("writing %s: %w", path, err)
		}
	}()
	if _, err := tmp.Write(data); err != nil {
		return err
	}
	if err := tmp.Chmod(mode); err != nil && runtime.GOOS != "windows" {
		return err
	}
	if err := tmp.Sync(); err != nil {
		return err
	}
	if err := tmp.Close(); err != nil {
		return err
	}
	if err := place(tmp.Name(), path); err != nil {
		return err
	}
	return SyncDir(dir)
}

// SyncDir makes a rename or a new file in dir durable. Windows has no such call, and needs
// none.
func SyncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// ErrNotPrivate is returned for a file that other users can read or write.
var ErrNotPrivate = errors.New("other users have access")

// CheckPrivate returns an error that wraps ErrNotPrivate, and says what to do,
// if others may read or write the file. Where files have no such modes it is
// content.
func CheckPrivate(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		if !info.Mode().IsRegular() && !info.IsDir() { // a device or pipe is not ours to change
			return fmt.Errorf("%s: %w, and it is no file; name one of your own", path, ErrNotPrivate)
		}
		return fmt.Errorf("%s: %w; run: chmod %o %s", path, ErrNotPrivate, info.Mode().Perm()&^0o077, path)
	}
	return nil
}
