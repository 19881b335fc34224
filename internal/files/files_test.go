package files_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/culvert-net/culvert/internal/files"
)

// only fails if dir holds anything but the named files: a write must not leave
// its temporary file behind.
func only(t *testing.T, dir string, names ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if strings.Join(got, " ") != strings.Join(names, " ") {
		t.Errorf("directory holds %v, want %v", got, names)
	}
}

func TestWrite(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "keys")
	for _, tt := range []struct {
		data []byte
		mode fs.FileMode
	}{
		{[]byte("first"), files.Private},
		{bytes.Repeat([]byte("long"), 1<<18), files.Private},
		{nil, files.Private},
		{[]byte("public"), 0o644},
		{[]byte("private again"), files.Private},
	} {
		if err := files.Write(path, tt.data, tt.mode); err != nil {
			t.Fatalf("Write: %v", err)
		}
		got, err := os.ReadFile(path)
		if err != nil || !bytes.Equal(got, tt.data) {
			t.Errorf("read back %d bytes, %v; want %d", len(got), err, len(tt.data))
		}
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if runtime.GOOS != "windows" && info.Mode().Perm() != tt.mode {
			t.Errorf("mode = %v, want %v", info.Mode().Perm(), tt.mode)
		}
	}
	only(t, dir, "keys")
}

func TestFailedWriteLeavesEverything(t *testing.T) {
	t.Run("no directory", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "missing", "keys")
		if err := files.Write(path, []byte("x"), files.Private); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), path) {
			t.Errorf("Write = %v, want fs.ErrNotExist with the path", err)
		}
	})
	t.Run("rename fails", func(t *testing.T) {
		dir := t.TempDir()
		path := filepath.Join(dir, "keys")
		if err := os.MkdirAll(filepath.Join(path, "inside"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := files.Write(path, []byte("x"), files.Private); err == nil {
			t.Error("Write over a directory succeeded")
		}
		only(t, dir, "keys")
	})
}

// Whoever reads sees one of the versions, never a mixture or nothing.
func TestWriteIsAtomic(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys")
	version := func(n int) []byte { return bytes.Repeat([]byte{byte('a' + n)}, 1<<16) }
	if err := files.Write(path, version(0), files.Private); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	var writers, readers sync.WaitGroup
	for w := range 2 {
		writers.Go(func() {
			for i := range 20 {
				if err := files.Write(path, version(w*20+i), files.Private); err != nil {
					t.Errorf("Write: %v", err)
				}
			}
		})
	}
	readers.Go(func() {
		for {
			got, err := os.ReadFile(path)
			if err != nil || len(got) != 1<<16 || !bytes.Equal(got, bytes.Repeat(got[:1], len(got))) {
				t.Errorf("read %d bytes, %v: not one whole version", len(got), err)
				return
			}
			select {
			case <-done:
				return
			default:
			}
		}
	})
	writers.Wait()
	close(done)
	readers.Wait()
}

func TestCheckPrivate(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("SKIP " + t.Name() + ": no file modes on windows")
	}
	path := filepath.Join(t.TempDir(), "keys")
	if err := files.CheckPrivate(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("CheckPrivate of nothing = %v, want fs.ErrNotExist", err)
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for mode, ok := range map[fs.FileMode]bool{0o600: true, 0o400: true, 0o640: false, 0o604: false, 0o620: false} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		err := files.CheckPrivate(path)
		if (err == nil) != ok {
			t.Errorf("CheckPrivate(%v) = %v, want success %v", mode, err, ok)
		}
		if err != nil && (!errors.Is(err, files.ErrNotPrivate) || !strings.Contains(err.Error(), "chmod 600 "+path)) {
			t.Errorf("CheckPrivate(%v) = %v, want ErrNotPrivate and what to do", mode, err)
		}
	}
	// Whoever obeyed as root would take the device from everybody.
	if err := files.CheckPrivate(os.DevNull); !errors.Is(err, files.ErrNotPrivate) || strings.Contains(err.Error(), "chmod") {
		t.Errorf("CheckPrivate of a device = %v, want ErrNotPrivate and no chmod", err)
	}
}
