package eventlog

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/culvert-net/culvert/mesh/event"
	"github.com/culvert-net/culvert/mesh/world"
)

// The process that is killed finds its log, and where it was, in these.
const (
	placeOfChild = "CULVERT_LOG_TEST_PLACE"
	startOfChild = "CULVERT_LOG_TEST_START"
)

// streams add to one log at the same time, each its own events one after the
// other.
const streams = 2

// perEpoch is how many events of a stream have one epoch.
const perEpoch = 150

func killWorld(tb testing.TB) *world.World { return testWorld(tb, terms{quota: 1 << 20}) }

// event n of a stream; nearly all are of the newest epoch it has come to.
func streamEvent(tb testing.TB, w *world.World, stream, n int) *event.Event {
	return receipt(tb, w, someEpoch+uint64(n/perEpoch)-uint64(n%5), 10*stream+n%7, n)
}

// The process that TestKilled kills. It is no test by itself.
func TestKilledChild(t *testing.T) {
	place := os.Getenv(placeOfChild)
	if place == "" {
		return
	}
	var start [streams]int
	if _, err := fmt.Sscan(os.Getenv(startOfChild), &start[0], &start[1]); err != nil {
		t.Fatal(err)
	}
	w := killWorld(t)
	l := open(t, place, Config{World: w})
	failed := make(chan error)
	for stream := range streams {
		go func() { failed <- write(t, l, stream, start[stream]) }()
	}
	t.Fatal(<-failed)
}

// write adds a stream's events and says how far it is, after Add has returned.
// The stream's time moves with its events, so that old epochs are dropped, and
// the last but one is sealed.
func write(tb testing.TB, l *Log, stream, n int) error {
	w := l.cfg.World
	for {
		now := midOf(w, someEpoch+uint64(n/perEpoch))
		var batch []*event.Event
		for range 1 + rand.IntN(40) {
			batch = append(batch, streamEvent(tb, w, stream, n+len(batch)))
			if (n+len(batch))%perEpoch == 0 {
				break
			}
		}
		r, err := l.Add(context.Background(), batch, ViaPush, now)
		if err != nil {
			return err
		}
		for _, x := range r.Refused { // the other stream may be far ahead
			if x.Reason != ReasonPruned {
				return x.Reason
			}
		}
		n += len(batch)
		if _, err := fmt.Fprintln(os.Stdout, stream, n); err != nil {
			return err
		}
		if rand.IntN(8) == 0 {
			if _, err := l.Prune(now); err != nil {
				return err
			}
			err := l.SetSeal(w.Epoch(now)-1, []byte("seal"), []world.Hash{batch[0].ID})
			if err != nil && !errors.Is(err, ReasonPruned) {
				return err
			}
		}
	}
}

// Whenever the process that writes is killed, the log opens, is whole, and has
// every event that was acknowledged, but for those of epochs that were dropped.
func TestKilled(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log.db")
	rounds := 9
	if testing.Short() {
		rounds = 3
	}
	k := killed{path: path, world: killWorld(t), pruned: make(map[uint64]EpochInfo)}
	for round := range rounds {
		k.run(t, round)
		k.check(t, round)
	}
	if k.done[0]+k.done[1] == 0 || len(k.pruned) == 0 && !testing.Short() {
		t.Errorf("%v events written, %d epochs dropped: the test tested little", k.done, len(k.pruned))
	}
}

// killed is what is known of a log whose writers are killed.
type killed struct {
	path   string
	world  *world.World
	done   [streams]int // acknowledged, of each stream
	pruned map[uint64]EpochInfo
}

// run lets a process write for a while and kills it.
func (k *killed) run(t *testing.T, round int) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestKilledChild$")
	cmd.Env = append(os.Environ(), placeOfChild+"="+k.path, startOfChild+fmt.Sprintf("=%d %d", k.done[0], k.done[1]))
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	hang := time.AfterFunc(10*time.Second, func() { _ = cmd.Process.Kill() })
	defer hang.Stop()
	lines := bufio.NewScanner(out)
	for range 1 + rand.IntN(30) {
		if !lines.Scan() {
			t.Fatalf("round %d: the process ended by itself after %v", round, k.done)
		}
		k.read(t, lines.Text())
	}
	time.Sleep(time.Duration(rand.IntN(int(3 * time.Millisecond)))) // anywhere within a transaction
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	for lines.Scan() { // what it had written to the pipe
		k.read(t, lines.Text())
	}
	_ = cmd.Wait() // says that it was killed
}

func (k *killed) read(t *testing.T, line string) {
	t.Helper()
	var stream, n int
	if _, err := fmt.Sscan(line, &stream, &n); err == nil && stream < streams {
		k.done[stream] = n
	}
}

// check opens the log and looks for everything.
func (k *killed) check(t *testing.T, round int) {
	t.Helper()
	l, err := Open(k.path, Config{World: k.world})
	if err != nil {
		t.Fatalf("round %d: %v", round, err)
	}
	defer l.Close()
	whole(t, l)
	floor, err := l.Floor()
	if err != nil {
		t.Fatal(err)
	}
	for stream, done := range k.done {
		for n := max(0, done-12*perEpoch); n < done; n++ {
			e := streamEvent(t, k.world, stream, n)
			if has, err := l.Has(e.Epoch(), e.ID); err != nil || !has && e.Epoch() >= floor {
				t.Fatalf("round %d: event %d of stream %d, acknowledged, epoch %d, floor %d: Has = %v, %v",
					round, n, stream, e.Epoch(), floor, has, err)
			}
		}
	}
	infos, err := l.Epochs()
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range infos {
		if old, ok := k.pruned[x.Epoch]; ok && x != old {
			t.Fatalf("round %d: epoch %d was dropped with %+v, and is %+v", round, x.Epoch, old, x)
		}
		if x.Pruned {
			k.pruned[x.Epoch] = x
		}
	}
}
