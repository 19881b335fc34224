package store_test

import (
	"bufio"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/culvert-net/culvert/internal/kv/kvtest"
)

// placeOfChild is where the process that TestKilled kills finds its store.
const placeOfChild = "CULVERT_STORE_TEST_PLACE"

// The process that TestKilled kills. It is no test by itself.
func TestKilledChild(t *testing.T) {
	place := os.Getenv(placeOfChild)
	if place == "" {
		return
	}
	s := open(t, place)
	var wg sync.WaitGroup
	for range 8 { // so that there are groups
		wg.Go(func() {
			if err := kvtest.Write(s, os.Stdout); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

// Whenever a process is killed in which many write, the store holds the whole
// of what each function wrote, or nothing; it holds all that any of them was
// told is written; and it is not taken for a restored copy.
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
		note := func() {
			n, err := strconv.ParseUint(lines.Text(), 10, 64)
			if err != nil {
				t.Fatalf("round %d: it said %q", round, lines.Text())
			}
			reported = max(reported, n)
		}
		for range rand.IntN(400) {
			if !lines.Scan() {
				t.Fatalf("round %d: the process ended by itself after %d", round, reported)
			}
			note()
		}
		time.Sleep(time.Duration(rand.IntN(int(3 * time.Millisecond)))) // anywhere within a group
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		for lines.Scan() { // what it had written to the pipe, line by line
			note()
		}
		_ = cmd.Wait() // says that it was killed
		hang.Stop()
		s := open(t, place)
		count, err := kvtest.Verify(s)
		if err != nil || count < reported || count < last {
			t.Fatalf("round %d: %d transactions, %v; %d were reported as done, and %d there before", round, count, err, reported, last)
		}
		if s.Restored() {
			t.Fatalf("round %d: a store whose process was killed is taken for a copy", round)
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
