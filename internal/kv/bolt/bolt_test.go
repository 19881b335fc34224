package bolt_test

import (
	"bufio"
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/culvert-net/culvert/internal/files"
	"github.com/culvert-net/culvert/internal/kv"
	"github.com/culvert-net/culvert/internal/kv/bolt"
	"github.com/culvert-net/culvert/internal/kv/kvtest"
)

func open(t *testing.T, dir string) kv.Store {
	t.Helper()
	s, err := bolt.Open(filepath.Join(dir, "store.db"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestConformance(t *testing.T) { kvtest.Run(t, open) }

// placeOfChild is where the process that TestKilled kills finds its store.
const placeOfChild = "CULVERT_KV_TEST_PLACE"

// The process that TestKilled kills. It is no test by itself.
func TestKilledChild(t *testing.T) {
	place := os.Getenv(placeOfChild)
	if place == "" {
		return
	}
	s := open(t, place)
	if err := kvtest.Write(s, os.Stdout); err != nil {
		t.Fatal(err)
	}
}

// Whenever the process that writes is killed, the store holds whole
// transactions, among them all that were reported as done.
func TestKilled(t *testing.T) {
	place := t.TempDir()
	rounds, last := 15, uint64(0)
	if testing.Short() {
		rounds = 3
	}
	for round := range rounds {
		cmd := exec.Command(os.Args[0], "-test.run=^TestKilledChild$")
		cmd.Env = append(os.Environ(), placeOfChild+"="+place)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		hang := time.AfterFunc(10*time.Second, func() { _ = cmd.Process.Kill() })
		reported, lines := uint64(0), bufio.NewScanner(out)
		for range rand.IntN(60) {
			if !lines.Scan() {
				t.Fatalf("round %d: the process ended by itself after %d", round, reported)
			}
			if reported, err = strconv.ParseUint(lines.Text(), 10, 64); err != nil {
				t.Fatalf("round %d: it said %q", round, lines.Text())
			}
		}
		time.Sleep(time.Duration(rand.IntN(int(3 * time.Millisecond)))) // anywhere within a transaction
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		for lines.Scan() { // what it had written to the pipe
			if n, err := strconv.ParseUint(lines.Text(), 10, 64); err == nil {
				reported = n
			}
		}
		_ = cmd.Wait() // says that it was killed
		hang.Stop()
		s := open(t, place)
		count, err := kvtest.Verify(s)
		if err != nil || count < reported || count < last {
			t.Fatalf("round %d: %d transactions, %v; %d were reported as done, and %d there before", round, count, err, reported, last)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		last = count
	}
	if last == 0 {
		t.Error("nothing was ever written")
	}
}

func TestFileIsPrivate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.db")
	s, err := bolt.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v; want 0600", info.Mode().Perm(), err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := bolt.Open(path); !errors.Is(err, files.ErrNotPrivate) {
		t.Errorf("Open of a file that others may read = %v, want ErrNotPrivate", err)
	}
}

func TestLocked(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.db")
	s, err := bolt.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := bolt.Open(path); !errors.Is(err, kv.ErrLocked) || !strings.Contains(err.Error(), path) {
		t.Errorf("second Open = %v, want ErrLocked and the file's name", err)
	}
}

// Whatever happens to a file, opening and reading it gives an error or the
// truth: nothing ends the program.
func TestDamaged(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "store.db")
	s := open(t, dir)
	for i := range 300 {
		key := strconv.Itoa(i)
		err := s.Update(context.Background(), func(tx kv.Tx) error {
			return tx.Put("a", []byte(key), []byte(strings.Repeat(key, 20)))
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	tries := 0
	try := func(name string, damaged []byte) (refused bool) {
		tries++ // in a file of its own: that of a failed Open may stay locked
		path := filepath.Join(dir, strconv.Itoa(tries)+".db")
		if err := os.WriteFile(path, damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := bolt.Open(path)
		if err != nil {
			if !strings.Contains(err.Error(), path) || !errors.Is(err, kv.ErrDamaged) {
				t.Errorf("%s: Open = %v, want ErrDamaged and the file's name", name, err)
			}
			return true
		}
		defer s.Close()
		err = s.View(context.Background(), func(tx kv.Tx) error {
			return tx.Scan("a", nil, func(_, _ []byte) error { return nil })
		})
		if err != nil && !errors.Is(err, kv.ErrDamaged) {
			t.Errorf("%s: Scan after Open = %v, want ErrDamaged", name, err)
		}
		return false
	}
	for _, size := range []int{1, 4096, 8192, len(whole) / 4} {
		if !try("cut to "+strconv.Itoa(size), whole[:size]) {
			t.Errorf("a file cut to %d of %d bytes was opened", size, len(whole))
		}
	}
	if !try("text", []byte(strings.Repeat("not a store\n", 2000))) {
		t.Error("a text was opened")
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	for range 60 {
		damaged := append([]byte(nil), whole...)
		at := r.IntN(len(damaged) - 64)
		for i := range 1 + r.IntN(64) {
			damaged[at+i] = byte(r.Uint32())
		}
		try("bytes changed at "+strconv.Itoa(at), damaged)
	}
}

func BenchmarkUpdate(b *testing.B) {
	s, err := bolt.Open(filepath.Join(b.TempDir(), "store.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	kvtest.BenchUpdate(b, s)
}
