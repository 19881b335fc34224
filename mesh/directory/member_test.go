package directory

import (
	"bytes"
	"context"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/culvert-net/culvert/mesh/world"
)

// member is a running client in a test.
type member struct {
	*Client
	set  *Set
	log  *lockedBuffer
	stop func() // ends Run and waits for it

	mu    sync.Mutex
	self  Node // guarded by mu
	ready bool // guarded by mu
}

// memberConfig says which.
type memberConfig struct {
	dir    string // data directory; empty for none
	key    int    // number of the transport key; 0 publishes nothing
	self   Node
	silent bool // has nothing to say yet
	enough func(*Snapshot) bool
}

// startMember runs a client until the test ends.
func startMember(t *testing.T, w *world.World, n *network, mc memberConfig) *member {
	t.Helper()
	m := &member{set: NewSet(w), log: new(lockedBuffer), self: mc.self, ready: !mc.silent}
	cfg := ClientConfig{World: w, Set: m.set, Seeds: n, Enough: mc.enough}
	cfg.Log = slog.New(slog.NewTextHandler(m.log, &slog.HandlerOptions{Level: slog.LevelInfo}))
	if mc.dir != "" {
		cfg.Cache = filepath.Join(mc.dir, "directory.db")
	}
	if mc.key != 0 {
		dir := mc.dir
		if dir == "" {
			dir = t.TempDir()
		}
		ring, err := OpenKeyring(filepath.Join(dir, "onion.keys"), w)
		if err != nil {
			t.Fatal(err)
		}
		cfg.Key, cfg.Keys, cfg.Self = testKey(mc.key), ring, m.now
	}
	c, err := NewClient(cfg)
	if err != nil {
		t.Fatal(err)
	}
	m.Client = c
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	m.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run = %v", err)
		}
		n.wg.Wait()
	})
	t.Cleanup(m.stop)
	return m
}

func (m *member) now() (Node, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.self, m.ready
}

// change replaces what the member says of itself.
func (m *member) change(f func(*Node)) {
	m.mu.Lock()
	m.self.Models = slices.Clone(m.self.Models) // the old ones may be in use
	f(&m.self)
	m.mu.Unlock()
	m.Changed()
}

// speak sets whether the member has anything to say.
func (m *member) speak(ready bool) {
	m.mu.Lock()
	m.ready = ready
	m.mu.Unlock()
	m.Changed()
}

// lockedBuffer may be read while a logger writes to it.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// await waits, in virtual time, for what must become true soon.
func await(t *testing.T, within time.Duration, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(within); ; time.Sleep(within / 1000) {
		synctest.Wait()
		if ok() {
			return
		}
		if !time.Now().Before(end) {
			t.Fatalf("not within %v: %s", within, what)
		}
	}
}

func knows(set *Set, key int) func() bool {
	return func() bool { _, ok := set.Snapshot().Node(publicOf(testKey(key))); return ok }
}

// plainNode is what Self says: the client adds the onion keys.
func plainNode(t *testing.T, key int, models ...string) Node {
	n := testNode(t, testWorld(t), key, time.Now(), models...)
	n.Onion = nil
	return n
}
