package files

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
)

// A key that is there is never lost to a new one, also when two make one at once.
func TestWriteNew(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "key")
	texts := []string{"one", "two", "three", "four"}
	errs := make([]error, len(texts))
	var wg sync.WaitGroup
	for i, text := range texts {
		wg.Go(func() { errs[i] = WriteNew(path, []byte(text), Private) })
	}
	wg.Wait()
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	made := 0
	for i, err := range errs {
		switch {
		case err == nil:
			made++
			if string(got) != texts[i] {
				t.Errorf("%q was written, and the file holds %q", texts[i], got)
			}
		case !errors.Is(err, fs.ErrExist):
			t.Errorf("WriteNew = %v, want fs.ErrExist", err)
		}
	}
	if made != 1 {
		t.Errorf("%d of them made the file", made)
	}
	if info, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != Private {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("left in the directory: %v, %v", left, err)
	}
	if err := exclusive(path, []byte("five"), Private); !errors.Is(err, fs.ErrExist) {
		t.Errorf("exclusive = %v, want fs.ErrExist", err)
	}
	other := filepath.Join(dir, "other")
	if err := exclusive(other, []byte("five"), Private); err != nil {
		t.Error(err)
	}
	if got, err := os.ReadFile(other); err != nil || string(got) != "five" {
		t.Errorf("%q, %v", got, err)
	}
}
