package sandbox

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/culvert-net/culvert/internal/app"
)

// A kept directory is one sandbox's at a time, and messages name the flag that
// this program has for it.
func TestDirectoryIsClaimed(t *testing.T) {
	o := Defaults()
	o.Dir = filepath.Join(t.TempDir(), "d")
	dir, cleanup, err := o.directory()
	if err != nil || dir != o.Dir {
		t.Fatalf("directory = %q, %v", dir, err)
	}
	if _, _, err := o.directory(); err == nil || !strings.Contains(err.Error(), "another with --dir") || strings.Contains(err.Error(), "--data") {
		t.Errorf("a second sandbox in it = %v, want it refused with --dir", err)
	}
	if err := cleanup(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); err != nil {
		t.Errorf("a named directory was removed: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, markFile), []byte("bridge 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := o.directory(); app.Code(err) != app.ExitUsage || strings.Contains(err.Error(), "--data") {
		t.Errorf("the directory of a bridge = %v, want exit code 2 and --dir", err)
	}
	o.Dir = filepath.Join(t.TempDir(), strings.Repeat("x", 100))
	if _, _, err := o.directory(); app.Code(err) != app.ExitUsage || !strings.Contains(err.Error(), "too long") {
		t.Errorf("a directory whose sockets have no room = %v, want exit code 2", err)
	}
}

// A temporary directory is one that may be swept, from the start.
func TestTemporaryIsMarked(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	o := Defaults()
	dir, cleanup, err := o.directory()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, temporaryMark)); err != nil {
		t.Error(err)
	}
	if err := cleanup(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("a temporary directory is still there")
	}
}

// Only what a dead sandbox of this user left is removed.
func TestSweep(t *testing.T) {
	if info, err := os.Stat(t.TempDir()); err != nil || !ours(info) {
		t.Skip("SKIP TestSweep: no owners and locks of files here")
	}
	temp := t.TempDir()
	mark := func(name, text string) string {
		dir := filepath.Join(temp, name)
		if err := os.MkdirAll(filepath.Join(dir, "relay-1"), 0o700); err != nil {
			t.Fatal(err)
		}
		if text != "" {
			for name, text := range map[string]string{markFile: text, temporaryMark: ""} {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
		}
		return dir
	}
	dead := mark("culvert-1", "sandbox 1\n")
	live := mark("culvert-2", "")
	data, err := app.OpenData(live, program)
	if err != nil {
		t.Fatal(err)
	}
	defer data.Close()
	kept := []string{
		live, mark("culvert-3", ""), mark("culvert-4", "bridge 1\n"), mark("culvert-5", "sandbox 99\n"),
		mark("other-1", "sandbox 1\n"),
	}
	// A directory that somebody named, though as temporary ones are called, is kept
	// for its next run; so is one that was temporary before.
	for _, name := range []string{"culvert-demo", "culvert-7"} {
		o := Defaults()
		o.Dir = mark(name, "sandbox 1\n")
		_, cleanup, err := o.directory()
		if err != nil {
			t.Fatal(err)
		}
		if err := cleanup(); err != nil {
			t.Fatal(err)
		}
		kept = append(kept, o.Dir)
	}
	link := filepath.Join(temp, "culvert-6")
	if err := os.Symlink(mark("elsewhere", "sandbox 1\n"), link); err != nil {
		t.Fatal(err)
	}
	kept = append(kept, link, filepath.Join(temp, "elsewhere", "relay-1"))
	if n := sweep(temp); n != 1 {
		t.Errorf("sweep = %d, want 1", n)
	}
	if _, err := os.Stat(dead); err == nil {
		t.Error("what a dead sandbox left is still there")
	}
	for _, dir := range kept {
		if _, err := os.Stat(dir); err != nil {
			t.Errorf("%s is gone", dir)
		}
	}
	data.Close()
	if err := os.WriteFile(filepath.Join(live, temporaryMark), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if n := sweep(temp); n != 1 {
		t.Errorf("sweep after the sandbox ended = %d, want 1", n)
	}
	for i := range maxSweep + 1 {
		mark(fmt.Sprintf("culvert-many-%d", i), "sandbox 1\n")
	}
	if n := sweep(temp); n != maxSweep {
		t.Errorf("sweep of %d = %d, want %d at a time", maxSweep+1, n, maxSweep)
	}
}
