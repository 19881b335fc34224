package publish

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/multiformats/go-multiaddr"

	"github.com/culvert-net/culvert/mesh/directory"
	"github.com/culvert-net/culvert/mesh/directory/dirtest"
	"github.com/culvert-net/culvert/mesh/directory/mirror"
	"github.com/culvert-net/culvert/mesh/directory/notary"
	"github.com/culvert-net/culvert/mesh/world"
)

// seeds are signers' desks by address, which can be broken.
type seeds struct {
	*dirtest.World
	mu    sync.Mutex
	sets  map[string]*directory.Set // nil: takes no publications
	down  map[string]bool
	count int // of streams
	wg    sync.WaitGroup
}

func newSeeds(t *testing.T, n int) *seeds {
	t.Helper()
	s := &seeds{World: dirtest.New(t, 5*time.Minute, 2, 3), sets: make(map[string]*directory.Set), down: make(map[string]bool)}
	for i := range n {
		public := dirtest.Public(dirtest.Key(100 + i))
		id := append([]byte{0x00, 0x24, 0x08, 0x01, 0x12, 0x20}, public[:]...)
		m, err := multiaddr.NewMultiaddrBytes(append(append(multiaddr.CodeToVarint(multiaddr.P_P2P), byte(len(id))), id...))
		if err != nil {
			t.Fatal(err)
		}
		addr := fmt.Sprintf("/ip4/127.0.0.1/tcp/%d%s", 5000+i, m)
		s.Seeds = append(s.Seeds, addr)
		s.sets[addr] = directory.NewSet(s.World.World)
	}
	t.Cleanup(s.wg.Wait)
	return s
}

func (s *seeds) Open(_ context.Context, seed string) (io.ReadWriteCloser, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.count++
	if s.down[seed] {
		return nil, errors.New("connection refused")
	}
	store, err := mirror.Open(mirror.Config{World: s.World.World, Quorum: s.Quorum})
	if err != nil {
		return nil, err
	}
	var desk mirror.Desk
	if set := s.sets[seed]; set != nil {
		desk = notary.NewDesk(s.World.World, set, nil)
	}
	near, far := net.Pipe()
	s.wg.Go(func() {
		defer far.Close()
		_ = mirror.Serve(context.Background(), far, store, desk) // told to the publisher
	})
	return near, nil
}

func (s *seeds) with(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

// said is what a seed knows of the node.
func (s *seeds) said(i int) (uint64, int) {
	snap := s.sets[s.Seeds[i]].Snapshot()
	n, ok := snap.Node(dirtest.Public(dirtest.Key(1)))
	if !ok {
		return 0, 0
	}
	return n.Epoch, len(n.Models)
}

// node is a publisher that runs.
type node struct {
	*Publisher
	mu     sync.Mutex
	models []string // guarded by mu
	sheets [][]byte // guarded by mu
	silent bool     // guarded by mu
	said   int      // times Said was called with something; guarded by mu
	log    bytes.Buffer
	stop   func()
}

func (n *node) set(models []string, silent bool) {
	n.mu.Lock()
	n.models, n.silent = models, silent
	n.mu.Unlock()
	n.Changed()
}

func start(t *testing.T, s *seeds, dir string, models ...string) *node {
	t.Helper()
	keys, err := directory.OpenKeyring(filepath.Join(dir, "onion.keys"), s.World.World)
	if err != nil {
		t.Fatal(err)
	}
	n := &node{models: models}
	n.Publisher, err = New(Config{
		World: s.World.World, Key: dirtest.Key(1), Keys: keys, Seeds: s, File: filepath.Join(dir, "own.db"),
		Self: func() (directory.Node, bool) {
			n.mu.Lock()
			defer n.mu.Unlock()
			self := directory.Node{Name: "me", Addrs: []string{"/ip4/127.0.0.9/tcp/4811"}}
			for _, m := range n.models {
				self.Models = append(self.Models, directory.Model{ID: m, Runtime: "vllm"})
			}
			for _, b := range n.sheets {
				self.Prices = append(self.Prices, directory.SheetHash(b))
			}
			return self, !n.silent
		},
		Sheet: func(h world.Hash) ([]byte, bool) {
			n.mu.Lock()
			defer n.mu.Unlock()
			i := slices.IndexFunc(n.sheets, func(b []byte) bool { return directory.SheetHash(b) == h })
			if i < 0 {
				return nil, false
			}
			return n.sheets[i], true
		},
		Said: func(ds []world.Descriptor) {
			n.mu.Lock()
			defer n.mu.Unlock()
			if len(ds) > 0 {
				n.said++
			}
		},
		Log: slog.New(slog.NewTextHandler(&n.log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- n.Run(ctx) }()
	n.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(n.stop)
	return n
}

// A node is known to all signers, with a stamp, in each epoch anew.
func TestPublish(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSeeds(t, 3)
		s.sets[s.Seeds[2]] = nil // a mirror that takes nothing
		n := start(t, s, t.TempDir(), "a", "b")
		for range 3 {
			time.Sleep(s.EpochLen() / 32)
			synctest.Wait()
			epoch := s.Epoch(time.Now())
			for i := range 2 {
				if e, models := s.said(i); e != epoch || models != 2 {
					t.Errorf("seed %d knows %d models of epoch %d", i, models, e)
				}
			}
			if st := n.Status(); !st.Described || st.Told != 2 || st.Seeds != 2 || st.Problem != "" || st.Stamped != epoch || st.Published.IsZero() {
				t.Errorf("status %+v", st)
			}
			if len(n.Descriptors(time.Now())) != 2 {
				t.Error("what is said is not known here")
			}
			time.Sleep(time.Until(s.EpochStart(epoch + 1)))
		}
		n.stop()
		n.mu.Lock()
		defer n.mu.Unlock()
		if n.said < 3 || n.said > 4 { // the last sleep ends where an epoch begins
			t.Errorf("Said was called %d times in three epochs", n.said)
		}
	})
}

// Price sheets are told to all signers in the push that names them, with each
// change and in each epoch anew.
func TestPublishSheets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSeeds(t, 2)
		n := start(t, s, t.TempDir(), "a")
		known := func() (out [][]byte) {
			out = s.sets[s.Seeds[0]].Snapshot().Sheets()
			if other := s.sets[s.Seeds[1]].Snapshot().Sheets(); !slices.EqualFunc(out, other, bytes.Equal) {
				t.Errorf("one seed knows %q, the other %q", out, other)
			}
			return out
		}
		say := func(sheets ...string) {
			n.mu.Lock()
			n.sheets = nil
			for _, b := range sheets {
				n.sheets = append(n.sheets, []byte(b))
			}
			n.mu.Unlock()
			n.Changed()
			time.Sleep(5 * time.Second)
			synctest.Wait()
		}
		say("one")
		if got := known(); len(got) != 1 || string(got[0]) != "one" {
			t.Errorf("known: %q", got)
		}
		time.Sleep(s.EpochLen())
		synctest.Wait()
		say("one", "two")
		if got := known(); len(got) != 2 || string(got[1]) != "two" {
			t.Errorf("known: %q, want the next one too", got)
		}
		if st := n.Status(); st.Told != 2 || st.Problem != "" {
			t.Errorf("status %+v", st)
		}
	})
}

// Seeds that are away are told when they are back; operators hear of it.
func TestSeedIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSeeds(t, 2)
		s.down[s.Seeds[1]] = true
		n := start(t, s, t.TempDir(), "a")
		time.Sleep(20 * time.Second)
		synctest.Wait()
		if st := n.Status(); st.Told != 1 || st.Problem != "not reachable" {
			t.Errorf("status %+v", st)
		}
		if !bytes.Contains(n.log.Bytes(), []byte("not published everywhere")) {
			t.Error("operators are not told")
		}
		s.with(func() { s.down[s.Seeds[1]] = false })
		time.Sleep(2 * lastAgain)
		synctest.Wait()
		if _, models := s.said(1); models != 1 || n.Status().Told != 2 || n.Status().Problem != "" {
			t.Errorf("back again: %d models, %+v", models, n.Status())
		}
		before := 0
		s.with(func() { before = s.count })
		time.Sleep(time.Until(s.EpochStart(s.Epoch(time.Now())+1)) - time.Second)
		s.with(func() {
			if s.count != before {
				t.Error("those that know are told again")
			}
		})
	})
}

// Changes are gathered, take a higher seq, and are held off once there were two;
// a restart goes on from what is on disk.
func TestChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSeeds(t, 1)
		dir := t.TempDir()
		n := start(t, s, dir, "a")
		time.Sleep(time.Second)
		synctest.Wait()
		first := n.Descriptors(time.Now())
		n.stop()
		n = start(t, s, dir, "a") // says the same, and so nothing new
		time.Sleep(time.Second)
		synctest.Wait()
		if again := n.Descriptors(time.Now()); len(again) != 1 || again[0].ID != first[0].ID {
			t.Error("after a restart the same is said in other words")
		}
		n.set([]string{"a", "b"}, false)
		n.set([]string{"a", "b", "c"}, false)
		time.Sleep(2 * changeDelay)
		synctest.Wait()
		if _, models := s.said(0); models != 3 {
			t.Errorf("%d models after a change", models)
		}
		n.set([]string{"d"}, false)
		time.Sleep(2 * changeDelay)
		synctest.Wait()
		if _, models := s.said(0); models != 3 {
			t.Error("the third statement of an epoch does not wait")
		}
		time.Sleep(s.EpochLen() / 8)
		synctest.Wait()
		if _, models := s.said(0); models != 1 {
			t.Error("the third statement of an epoch never comes")
		}
		n.set(nil, true) // nothing to say any more
		time.Sleep(time.Until(s.EpochStart(s.Epoch(time.Now())+1)) + s.EpochLen()/32)
		synctest.Wait()
		if st := n.Status(); st.Described {
			t.Errorf("silent: %+v", st)
		}
	})
}

func TestExplain(t *testing.T) {
	for _, c := range []struct {
		err   error
		want  string
		final bool
	}{
		{nil, "", true},
		{directory.ReasonStamp, "refused: no stamp for this epoch", false},
		{directory.ReasonContact, "refused: bad contact line", true},
		{directory.ReasonFull, "refused: the directory is full", false},
		{errStamp, errStamp.Error(), false},
		{errUnreachable, "not reachable", false},
		{context.DeadlineExceeded, "no answer in time", false},
		{directory.ErrProtocol, "not the directory protocol", false},
		{io.EOF, "broke off, or this node could not be described", false},
	} {
		if got := explain(c.err); got != c.want || final(c.err) != c.final {
			t.Errorf("%v: %q, final %v", c.err, got, final(c.err))
		}
	}
}

func FuzzOwn(f *testing.F) {
	w := dirtest.New(f, 5*time.Minute, 2, 3)
	f.Add(encodeOwn(w.Relays(f, 2, 100)))
	f.Add(encodeOwn([]world.Descriptor{}))
	f.Fuzz(func(t *testing.T, b []byte) {
		ds, err := decodeOwn(b)
		if err == nil && !bytes.Equal(encodeOwn(ds), b) {
			t.Errorf("%x decodes and encodes to something else", b)
		}
	})
}
