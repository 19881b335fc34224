package directory

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/culvert-net/culvert/mesh/sealed"
	"github.com/culvert-net/culvert/mesh/world"
)

func TestCache(t *testing.T) {
	w := testWorld(t)
	path := filepath.Join(t.TempDir(), "directory.db")
	set := NewSet(w)
	c := &cache{path: path, set: set}
	if ds, _, err := c.load(); err != nil || ds != nil {
		t.Errorf("load without a file = %v, %v", ds, err)
	}
	for n := range 5 {
		set.Add(build(t, w, n, at, 1, testNode(t, w, n, at, "m")), at)
	}
	if err := c.save(); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v, want 0600", info.Mode(), err)
	}
	ds, _, err := c.load()
	if err != nil || !reflect.DeepEqual(ds, set.All()) {
		t.Errorf("load = %d descriptors, %v, want %d", len(ds), err, len(set.All()))
	}

	// What has not changed is not written again.
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := c.save(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("an unchanged set was written again")
	}
	none := &cache{set: set}
	if ds, _, err := none.load(); err != nil || ds != nil || none.save() != nil {
		t.Error("a cache without a path does something")
	}
}

// The age of a cached directory is that of its news, however often it was
// read and written since.
func TestCacheKeepsItsAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := peerAddr(t, 1)
		w := testWorld(t, a)
		net := newNetwork()
		seed, now := NewSet(w), time.Now()
		added(t, seed.Add(build(t, w, 5, now, 1, testNode(t, w, 5, now)), now), 1)
		net.add(a, seed)
		path := filepath.Join(t.TempDir(), "directory.db")
		run := func(check func(*Client)) {
			client, err := NewClient(ClientConfig{World: w, Set: NewSet(w), Seeds: net, Cache: path})
			if err != nil {
				t.Fatal(err)
			}
			ctx, stop := context.WithCancel(t.Context())
			done := make(chan error)
			go func() { done <- client.Run(ctx) }()
			if err := client.Wait(ctx); err != nil {
				t.Error(err)
			}
			synctest.Wait()
			check(client)
			stop()
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		var fetched time.Time
		run(func(c *Client) {
			s := c.Status()
			if fetched = s.Fetched; fetched.IsZero() || !s.Cached.IsZero() {
				t.Errorf("first run: fetched %v, cached %v; want it fetched", s.Fetched, s.Cached)
			}
		})
		net.with(func() { net.servers[a].down = true })
		for range 2 {
			time.Sleep(20 * time.Second)
			run(func(c *Client) {
				if s := c.Status(); !s.Fetched.IsZero() || s.Nodes != 1 || s.Cached.Sub(fetched).Abs() > time.Second {
					t.Errorf("later run: %d nodes, fetched %v, cached %v; want them cached as of %v", s.Nodes, s.Fetched, s.Cached, fetched)
				}
			})
		}
	})
}

func TestCacheDamage(t *testing.T) {
	w := testWorld(t)
	set := NewSet(w)
	set.Add(build(t, w, 1, at, 1, testNode(t, w, 1, at)), at)
	good := encodeCache(set.Snapshot())
	path := filepath.Join(t.TempDir(), "directory.db")
	c := &cache{path: path, set: set}
	expect := func(name string, content []byte, want error) {
		t.Helper()
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		ds, _, err := c.load()
		if !errors.Is(err, want) || len(ds) != 0 || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: load = %d descriptors, %v, want %v and the path", name, len(ds), err, want)
		}
	}
	expect("empty", nil, sealed.ErrNotOurs)
	expect("another file", bytes.Repeat([]byte("SQLite format 3\x00"), 100), sealed.ErrNotOurs)
	newer := bytes.Clone(good)
	newer[7]++
	expect("newer format", newer, sealed.ErrNotOurs)
	expect("truncated", good[:len(good)-1], sealed.ErrDamaged)
	expect("grown", append(bytes.Clone(good), 0), sealed.ErrDamaged)
	for i := 8; i < len(good); i += 7 {
		flipped := bytes.Clone(good)
		flipped[i] ^= 0x10
		expect("a bit flipped", flipped, sealed.ErrDamaged)
	}
	expect("another world", encodeCache(NewSet(makeWorld(t, world.World{Phrase: "x"}, time.Hour)).Snapshot()), sealed.ErrOtherWorld)
	if err := os.Truncate(path, maxCacheFile+1); err != nil { // sparse: it takes no space
		t.Fatal(err)
	}
	if _, _, err := c.load(); !errors.Is(err, sealed.ErrTooLarge) {
		t.Errorf("a huge file: %v", err)
	}
}

// FuzzCache feeds files with a right checksum, so that what lies behind it is
// reached.
func FuzzCache(f *testing.F) {
	w := testWorld(f)
	one := build(f, w, 1, at, 1, testNode(f, w, 1, at))[0].Canonical()
	f.Add(appendDescriptors(nil, [][]byte{one, one}))
	f.Add([]byte{0})
	f.Fuzz(func(t *testing.T, payload []byte) {
		ds, err := decodeCache(w.ID, sealed.Seal(cacheMagic, w.ID, payload))
		if err == nil {
			NewSet(w).Add(ds, at)
		}
		if _, err := decodeCache(w.ID, payload); err == nil {
			t.Errorf("%x has no checksum and is taken", sha256.Sum256(payload))
		}
	})
}
