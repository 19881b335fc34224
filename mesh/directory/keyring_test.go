package directory

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/culvert-net/culvert/internal/files"
	"github.com/culvert-net/culvert/mesh/sealed"
	"github.com/culvert-net/culvert/mesh/world"
)

func TestKeyringRotates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := testWorld(t)
		path := filepath.Join(t.TempDir(), "onion.keys")
		ring, err := OpenKeyring(path, w)
		if err != nil {
			t.Fatal(err)
		}
		if len(ring.Public()) != 0 {
			t.Error("a new keyring publishes a key")
		}
		rotate := func() {
			t.Helper()
			if err := ring.Rotate(time.Now()); err != nil {
				t.Fatal(err)
			}
		}
		has := func(k OnionKey) bool {
			private, ok := ring.Lookup(k.ID())
			return ok && bytes.Equal(private.PublicKey().Bytes(), k.Public[:])
		}
		start := w.EpochStart(w.Epoch(time.Now()) + 1)
		time.Sleep(time.Until(start))
		rotate()
		rotate() // once per epoch
		first := ring.Public()
		if len(first) != 1 || !has(first[0]) || !first[0].NotAfter.Equal(start.Add(4*w.EpochLen())) {
			t.Fatalf("in the first epoch: %+v", first)
		}
		firstPrivate := ring.keys[0].private.Bytes()

		time.Sleep(w.EpochLen())
		rotate()
		second := ring.Public()
		if len(second) != 2 || second[1] != first[0] || second[0].Public == first[0].Public || !has(second[0]) || !has(second[1]) {
			t.Fatalf("in the second epoch: %+v", second)
		}

		time.Sleep(w.EpochLen())
		rotate()
		third := ring.Public()
		if len(third) != 2 || third[1] != second[0] || !has(first[0]) {
			t.Errorf("in the third epoch: %+v, first key still known: %v", third, has(first[0]))
		}
		// A descriptor of the first epoch stands in the root of the second, which
		// may be used until the fourth has passed.
		time.Sleep(2 * w.EpochLen())
		rotate() // the first key's not-after is now, its grace is not over
		third = ring.Public()
		if !has(first[0]) {
			t.Error("the first key is gone when the last who were shown it may use it")
		}
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("mode %v, %v, want 0600", info.Mode(), err)
		}

		time.Sleep(keyGrace + time.Second)
		if has(first[0]) {
			t.Error("a key past its grace is found, Rotate or not")
		}
		rotate()
		if len(ring.keys) != 3 { // those of the second, third and fifth epoch are not; the fourth was slept through
			t.Errorf("%d keys are kept", len(ring.keys))
		}
		file, err := os.ReadFile(path)
		if err != nil || bytes.Contains(file, firstPrivate) {
			t.Errorf("the erased key is still on disk (%v)", err)
		}

		again, err := OpenKeyring(path, w)
		if err != nil {
			t.Fatal(err)
		}
		ring = again
		rotate()
		if got := ring.Public(); len(got) != 2 || got[0] != third[0] || got[1] != third[1] || !has(third[0]) || !has(third[1]) {
			t.Errorf("after a restart: %+v, want %+v", got, third)
		}

		// After a long sleep nothing old is left.
		time.Sleep(24 * time.Hour)
		if has(third[0]) {
			t.Error("a key of yesterday is found")
		}
		rotate()
		if got := ring.Public(); len(got) != 1 || len(ring.keys) != 1 {
			t.Errorf("after a day: %+v", got)
		}
	})
}

// TestKeyringClockSetBack: a clock that was a week ahead must not leave keys
// that nobody accepts.
func TestKeyringClockSetBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := testWorld(t)
		ring, err := OpenKeyring(filepath.Join(t.TempDir(), "onion.keys"), w)
		if err != nil {
			t.Fatal(err)
		}
		if err := ring.Rotate(time.Now().Add(7 * 24 * time.Hour)); err != nil {
			t.Fatal(err)
		}
		if len(ring.Public()) != 0 {
			t.Error("a key from the future is published")
		}
		if err := ring.Rotate(time.Now().Add(w.EpochLen())); err != nil { // a little ahead: kept
			t.Fatal(err)
		}
		if err := ring.Rotate(time.Now()); err != nil {
			t.Fatal(err)
		}
		if got := ring.Public(); len(got) != 1 || got[0].NotAfter.After(time.Now().Add(onionEpochs*w.EpochLen())) || len(ring.keys) != 2 {
			t.Errorf("published %+v of %d keys, want the one of now, with the next one kept", got, len(ring.keys))
		}
	})
}

// TestKeyringLongEpochs: with epochs of a week a key is good for four.
func TestKeyringLongEpochs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := makeWorld(t, world.World{Phrase: "slow"}, 7*24*time.Hour)
		ring, err := OpenKeyring(filepath.Join(t.TempDir(), "onion.keys"), w)
		if err != nil {
			t.Fatal(err)
		}
		now := time.Now()
		if err := ring.Rotate(now); err != nil {
			t.Fatal(err)
		}
		node := testNode(t, w, 1, now)
		node.Onion = ring.Public()
		d := build(t, w, 1, now, 1, node)[0]
		if err := Verify(&d, w, now); err != nil {
			t.Errorf("its descriptor is refused: %v", err)
		}
		if want := w.EpochStart(w.Epoch(now) + onionEpochs); !node.Onion[0].NotAfter.Equal(want) {
			t.Errorf("not after %v, want %v", node.Onion[0].NotAfter, want)
		}
	})
}

func TestKeyringRefusesFiles(t *testing.T) {
	w := testWorld(t)
	other := makeWorld(t, world.World{Phrase: "other"}, time.Hour)
	path := filepath.Join(t.TempDir(), "onion.keys")
	ring, err := OpenKeyring(path, w)
	if err != nil {
		t.Fatal(err)
	}
	if err := ring.Rotate(time.Now()); err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	flipped := bytes.Clone(good)
	flipped[len(flipped)/2] ^= 1
	for name, content := range map[string][]byte{
		"empty":         {},
		"cut":           good[:len(good)-3],
		"flipped":       flipped,
		"another kind":  sealed.Seal("CULVOTH\x01", w.ID, []byte{0}),
		"another world": encodeKeys(other.ID, ring.keys),
		"not sorted":    sealed.Seal(keysMagic, w.ID, append([]byte{2}, append(append([]byte{1, 1}, make([]byte, 32)...), append([]byte{2, 1}, make([]byte, 32)...)...)...)),
		"too many":      sealed.Seal(keysMagic, w.ID, []byte{9}),
		"large":         make([]byte, maxKeyFile+1),
	} {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := OpenKeyring(path, w)
		if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "delete the file") {
			t.Errorf("%s: %v, want an error that names the file and the way out", name, err)
		}
	}

	// Rotate in a directory that is gone changes nothing.
	before := ring.Public()
	ring.path = filepath.Join(t.TempDir(), "missing", "onion.keys")
	if err := ring.Rotate(time.Now().Add(time.Hour)); err == nil {
		t.Error("a key that is not on disk would be published")
	}
	if after := ring.Public(); len(after) != len(before) || after[0] != before[0] {
		t.Errorf("after a failure %+v, before %+v", after, before)
	}
}

func FuzzKeys(f *testing.F) {
	w := testWorld(f)
	f.Add(append([]byte{1, 7, 200, 1}, make([]byte, 32)...))
	f.Add([]byte{0})
	f.Fuzz(func(t *testing.T, payload []byte) {
		in := sealed.Seal(keysMagic, w.ID, payload)
		keys, err := decodeKeys(w.ID, bytes.Clone(in))
		if err == nil && !bytes.Equal(encodeKeys(w.ID, keys), in) {
			t.Errorf("%x decodes and encodes to something else", payload)
		}
	})
}

// Keys that others can read are refused, as the transport key is.
func TestKeyringRefusesOpenFile(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("SKIP key file modes: files have none on this system")
	}
	path := filepath.Join(t.TempDir(), "onion.keys")
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenKeyring(path, makeWorld(t, world.World{Phrase: "keys", Sandbox: true}, time.Hour)); !errors.Is(err, files.ErrNotPrivate) {
		t.Errorf("OpenKeyring = %v, want ErrNotPrivate", err)
	}
}

func TestExpiries(t *testing.T) {
	w := testWorld(t)
	k, err := OpenKeyring(filepath.Join(t.TempDir(), "onion.keys"), w)
	if err != nil {
		t.Fatal(err)
	}
	for _, now := range []time.Time{at, at.Add(w.EpochLen())} {
		if err := k.Rotate(now); err != nil {
			t.Fatal(err)
		}
	}
	got := k.Expiries()
	if len(got) != 2 || got[0].Epoch != w.Epoch(at)+1 || !got[1].NotAfter.Equal(w.EpochStart(w.Epoch(at)+onionEpochs)) {
		t.Errorf("Expiries = %+v; want this epoch's key and the last one's, which lasts onionEpochs of them", got)
	}
}
