package node_test

import (
	"crypto/ed25519"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/node"
	"github.com/culvert-net/culvert/mesh"
	"github.com/culvert-net/culvert/mesh/world"
)

// mover is that of a program with one file that belongs to a world.
func mover(fits error) node.Mover {
	return node.Mover{
		Program: "gateway", Files: []string{"onion.keys"},
		Fits: func(string, *world.World) error { return fits },
		Next: func(lines app.Lines) string { return lines.Line("serve") },
	}
}

// saved writes a world's file.
func saved(t *testing.T, change func(*world.World)) string {
	t.Helper()
	w := world.World{Phrase: "blue river", Rules: world.DefaultRules(), Charter: &world.Charter{
		Version: 1, Founders: [][32]byte{{1}}, FounderThreshold: 1, DirectorySigners: [][32]byte{{1}}, DirectoryThreshold: 1,
		CircuitSuite: world.CircuitSuite, EventHorizonS: 30 * 86400, QuotaPerAuthor: 100,
	}}
	change(&w)
	made, err := world.New(w)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "world.toml")
	if err := world.WriteFile(path, made); err != nil {
		t.Fatal(err)
	}
	return path
}

// settled is a data directory in the world of a file.
func settled(t *testing.T, file string) string {
	t.Helper()
	dir := t.TempDir()
	text, err := os.ReadFile(file)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, app.WorldFile), text, 0o600)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "onion.keys"), []byte("old"), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func shorter(w *world.World) { w.Rules.EpochLenMS = 1_800_000 }

// A node moves to a fork of its world, says so when it is there already, and comes
// back to what it left.
func TestMove(t *testing.T) {
	old, fork := saved(t, func(*world.World) {}), saved(t, shorter)
	dir, m := settled(t, old), mover(nil)
	there, err := m.Move(dir, fork, false)
	if err != nil {
		t.Fatal(err)
	}
	w, err := node.LoadWorld(filepath.Join(dir, app.WorldFile))
	if err != nil || w.ID != there.To.ID || w.Rules.EpochLenMS != 1_800_000 {
		t.Errorf("the world is %+v, %v; want the new one", w, err)
	}
	if _, err := os.Stat(filepath.Join(dir, "onion.keys")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("onion keys of the old world: %v, want them gone", err)
	}
	if again, err := m.Move(dir, fork, false); err != nil || again.From != nil || again.To.ID != w.ID {
		t.Errorf("moving again = %+v, %v; want that it is there", again, err)
	}
	if _, err := m.Move(dir, filepath.Join(there.Kept, app.WorldFile), false); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(filepath.Join(dir, "onion.keys")); err != nil || string(text) != "old" {
		t.Errorf("back, onion keys are %q, %v; want those that were left", text, err)
	}
}

// What is no fork is refused with what differs, unless it is meant.
func TestMoveRefuses(t *testing.T) {
	old := saved(t, func(*world.World) {})
	for _, tt := range []struct {
		name   string
		change func(*world.World)
		want   string
	}{
		{"phrase", func(w *world.World) { shorter(w); w.Phrase = "red river" }, `its phrase is "red-river"; to leave`},
		{"phrase alone", func(w *world.World) { w.Phrase = "red river" }, `its phrase is "red-river"; its rules are the same`},
		{"charter", func(w *world.World) { shorter(w); w.Charter.QuotaPerAuthor = 9; w.Charter.Founders[0][0] = 2 }, "it has another charter.founders, charter.quota_per_author; to"},
		{"no charter", func(w *world.World) { shorter(w); w.Charter = nil }, "it has another charter; to"},
		{"founder", func(w *world.World) { shorter(w); w.Charter, w.Founder = nil, [32]byte{7} }, "it names another founder"},
		{"sandbox", func(w *world.World) { shorter(w); w.Sandbox = true }, "it is a sandbox"},
	} {
		dir, file := settled(t, old), saved(t, tt.change)
		if _, err := mover(nil).Move(dir, file, false); app.Code(err) != app.ExitRefused || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want it refused with %q", tt.name, err, tt.want)
		}
		if w, err := node.LoadWorld(filepath.Join(dir, app.WorldFile)); err != nil || w.Rules.EpochLenMS == 1_800_000 {
			t.Errorf("%s: refused, the world is %+v, %v", tt.name, w, err)
		}
		if r, err := mover(nil).Move(dir, file, true); err != nil || r.From == nil {
			t.Errorf("%s, with force: %+v, %v", tt.name, r, err)
		}
	}
	fork := saved(t, shorter)
	nowhere := filepath.Join(t.TempDir(), "none")
	if _, err := mover(nil).Move(nowhere, fork, false); !errors.Is(err, node.ErrNoWorld) {
		t.Errorf("a directory that is not set up: %v", err)
	}
	if _, err := os.Stat(nowhere); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("it was made: %v", err)
	}
	dir := settled(t, old)
	unfit := errors.New("unfit")
	if _, err := mover(unfit).Move(dir, fork, true); !errors.Is(err, unfit) {
		t.Errorf("settings that do not fit: %v", err)
	}
	data, err := app.OpenData(dir, "gateway")
	if err != nil {
		t.Fatal(err)
	}
	defer data.Close()
	if _, err := mover(nil).Move(dir, fork, false); err == nil || !strings.Contains(err.Error(), "stop that one") {
		t.Errorf("while it runs: %v, want it refused", err)
	}
}

// A node enters where somebody is to be asked, or where it is the one.
func TestCheckEntry(t *testing.T) {
	dir := t.TempDir()
	key, err := node.EnsureKey(dir)
	if err != nil {
		t.Fatal(err)
	}
	own := mesh.PeerID([32]byte(key.Public().(ed25519.PublicKey)))
	for _, tt := range []struct {
		name  string
		seeds []string
		ok    bool
	}{
		{"nobody", nil, false},
		{"itself", []string{"/ip4/10.0.0.1/tcp/4811/p2p/" + own}, true},
		{"somebody", []string{"/ip4/8.8.8.8/tcp/4811/p2p/" + mesh.PeerID([32]byte{1})}, true},
		{"somebody who may not be dialled", []string{"/ip4/10.0.0.1/tcp/4811/p2p/" + mesh.PeerID([32]byte{1})}, false},
	} {
		err := node.CheckEntry(dir, &world.World{Phrase: "x", Founder: [32]byte{1}, Seeds: tt.seeds})
		if (err == nil) != tt.ok {
			t.Errorf("%s: %v, want it allowed: %v", tt.name, err, tt.ok)
		}
	}
}
