package directory

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/culvert-net/culvert/mesh/world"
)

func TestAskTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := testWorld(t)
		foreign := makeWorld(t, world.World{Phrase: "foreign", Sandbox: true}, time.Hour)
		time.Sleep(17 * time.Millisecond)
		if err := overPipe(t, NewSet(w), false, func(rw io.ReadWriter) {
			if got, err := AskTime(rw, w.ID); err != nil || !got.Equal(time.Now()) {
				t.Errorf("AskTime = %v, %v; want %v", got, err, time.Now())
			}
		}); err != nil {
			t.Error(err)
		}
		_ = overPipe(t, NewSet(w), false, func(rw io.ReadWriter) {
			if _, err := AskTime(rw, foreign.ID); !errors.Is(err, ReasonWorld) {
				t.Errorf("AskTime of another world = %v, want %v", err, ReasonWorld)
			}
		})
	})
	for name, p := range map[string]response{
		"an answer to something else": {kind: responseUnchanged},
		"no time there ever is":       {kind: responseTime, millis: math.MaxUint64},
	} {
		if _, err := AskTime(canned{bytes.NewReader(framed(p.encode())), io.Discard}, world.Hash{}); !errors.Is(err, ErrProtocol) {
			t.Errorf("%s: %v, want ErrProtocol", name, err)
		}
	}
}

func TestReadCache(t *testing.T) {
	w := testWorld(t)
	path := filepath.Join(t.TempDir(), "directory.db")
	if _, err := ReadCache(path, w); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("ReadCache without a file = %v", err)
	}
	set := NewSet(w)
	added(t, set.Add(build(t, w, 1, at, 1, testNode(t, w, 1, at)), at), 1)
	if err := (&cache{path: path, set: set}).save(); err != nil {
		t.Fatal(err)
	}
	if ds, err := ReadCache(path, w); err != nil || len(ds) != 1 {
		t.Errorf("ReadCache = %d descriptors, %v; want one", len(ds), err)
	}
	if _, err := ReadCache(path, makeWorld(t, world.World{Phrase: "other"}, time.Hour)); err == nil {
		t.Error("ReadCache of another world's succeeded")
	}
	if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadCache(path, w); err == nil {
		t.Error("ReadCache of a damaged file succeeded")
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
