package moving

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var (
	older = strings.Repeat("0a", 32)
	newer = strings.Repeat("0b", 32)
	kinds = []string{"onion.keys", "boxes", "bundle-*.db", "absent.db"}
)

// place is a data directory in a world, with things of a world and others.
func place(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"world.toml": "world a", "config.toml": "settings", "transport.key": "key",
		"onion.keys": "of a", "boxes/1": "of a", "bundle-1.db": "of a", "bundle-2.db": "of a",
	} {
		write(t, filepath.Join(dir, name), text)
	}
	return dir
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600)); err != nil {
		t.Fatal(err)
	}
}

// tree is all files of a directory with their contents, as lines.
func tree(t *testing.T, dir string) string {
	t.Helper()
	all := make(map[string]string)
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		name, _ := filepath.Rel(dir, path)
		name = strings.NewReplacer(older, "A", newer, "B").Replace(filepath.ToSlash(name))
		all[name] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(all)) {
		fmt.Fprintf(&b, "%s: %s\n", name, all[name])
	}
	return b.String()
}

const (
	before = `boxes/1: of a
bundle-1.db: of a
bundle-2.db: of a
config.toml: settings
onion.keys: of a
transport.key: key
world.toml: world a
`
	after = `config.toml: settings
transport.key: key
world.toml: world b
worlds/A/boxes/1: of a
worlds/A/bundle-1.db: of a
worlds/A/bundle-2.db: of a
worlds/A/onion.keys: of a
worlds/A/world.toml: world a
`
	// used is what is there when the node has been in the new world.
	used = `boxes/1: of b
bundle-9.db: of b
config.toml: settings
onion.keys: of b
transport.key: key
world.toml: world b
worlds/A/boxes/1: of a
worlds/A/bundle-1.db: of a
worlds/A/bundle-2.db: of a
worlds/A/onion.keys: of a
worlds/A/world.toml: world a
`
	back = `boxes/1: of a
bundle-1.db: of a
bundle-2.db: of a
config.toml: settings
onion.keys: of a
transport.key: key
world.toml: world a
worlds/B/boxes/1: of b
worlds/B/bundle-9.db: of b
worlds/B/onion.keys: of b
worlds/B/world.toml: world b
`
)

var (
	there   = Plan{From: older, To: newer, World: []byte("world b"), Files: kinds}
	andBack = Plan{From: newer, To: older, World: []byte("world a"), Files: kinds}
)

// use does in the new world what a node does there.
func use(t *testing.T, dir string) {
	t.Helper()
	for _, name := range []string{"onion.keys", "boxes/1", "bundle-9.db"} {
		write(t, filepath.Join(dir, name), "of b")
	}
}

// What belongs to a world is put away, the rest stays; and one can move back.
func TestSwap(t *testing.T) {
	dir := place(t)
	if err := Finish(dir); err != nil || tree(t, dir) != before {
		t.Fatalf("Finish without a swap = %v, left\n%s", err, tree(t, dir))
	}
	if err := Swap(dir, there); err != nil || tree(t, dir) != after {
		t.Fatalf("Swap = %v, left\n%swant\n%s", err, tree(t, dir), after)
	}
	use(t, dir)
	if err := Swap(dir, andBack); err != nil || tree(t, dir) != back {
		t.Fatalf("Swap back = %v, left\n%swant\n%s", err, tree(t, dir), back)
	}
	if err := Swap(dir, there); err != nil || tree(t, dir) != used {
		t.Fatalf("Swap there again = %v, left\n%swant\n%s", err, tree(t, dir), used)
	}
}

// broken is a disk whose nth operation fails, or is done and then fails; and
// all after it: the process is gone.
type broken struct {
	osDisk
	left int
	done bool
}

var errGone = errors.New("gone")

func (b *broken) step(do func() error) error {
	b.left--
	switch {
	case b.left > 0:
		return do()
	case b.left == 0 && b.done:
		return errors.Join(do(), errGone)
	}
	return errGone
}

func (b *broken) mkdir(path string) error {
	return b.step(func() error { return b.osDisk.mkdir(path) })
}

func (b *broken) write(path string, data []byte) error {
	// What a crash of the machine leaves is not looked at, so nothing is flushed.
	return b.step(func() error { return os.WriteFile(path, data, 0o600) })
}

func (b *broken) rename(from, to string) error {
	return b.step(func() error { return b.osDisk.rename(from, to) })
}

func (b *broken) remove(path string) error {
	return b.step(func() error { return b.osDisk.remove(path) })
}
func (b *broken) sync(string) error { return b.step(func() error { return nil }) }

// Cut short at any step, done or not, a directory is in one of the two worlds for
// whoever opens it, with all that belongs there; and the move can be repeated.
func TestCutShort(t *testing.T) {
	for _, way := range []struct {
		name     string
		plan     Plan
		from, to string
		begin    func(t *testing.T, dir string)
	}{
		{"there", there, before, after, func(*testing.T, string) {}},
		{"back", andBack, used, back, func(t *testing.T, dir string) {
			if err := Swap(dir, there); err != nil {
				t.Fatal(err)
			}
			use(t, dir)
		}},
	} {
		for _, done := range []bool{false, true} {
			steps, inNew := 0, 0
			for ; ; steps++ {
				dir := place(t)
				way.begin(t, dir)
				name := fmt.Sprintf("%s, step %d, done %v", way.name, steps+1, done)
				err := (&mover{disk: &broken{left: steps + 1, done: done}, dir: dir}).swap(way.plan)
				if err == nil {
					break
				}
				if !errors.Is(err, errGone) {
					t.Fatalf("%s: %v", name, err)
				}
				if w, err := os.ReadFile(filepath.Join(dir, worldFile)); err != nil || !strings.HasPrefix(string(w), "world ") {
					t.Errorf("%s: the world file is %q, %v; one is always there", name, w, err)
				}
				// What completes it may be cut short, too.
				for again := 1; again < 4; again++ {
					_ = (&mover{disk: &broken{left: again, done: done}, dir: dir}).finish() // Finish is next
				}
				if err := Finish(dir); err != nil {
					t.Errorf("%s: Finish = %v", name, err)
				}
				got := tree(t, dir)
				switch {
				case got == way.to:
					inNew++
				case inNew > 0:
					t.Errorf("%s: it is in the old world, where a step before was in the new one", name)
				case withoutPrepared(got) != withoutPrepared(way.from):
					t.Errorf("%s: left\n%swant either\n%sor\n%s", name, got, way.from, way.to)
				}
				if got != way.to {
					if err := Swap(dir, way.plan); err != nil || tree(t, dir) != way.to {
						t.Errorf("%s: repeated, Swap = %v, left\n%swant\n%s", name, err, tree(t, dir), way.to)
					}
				}
			}
			if steps < 10 || inNew == 0 || inNew == steps {
				t.Errorf("%s, done %v: %d steps, %d of them ended in the new world; want more than ten, some in each", way.name, done, steps, inNew)
			}
		}
	}
}

// withoutPrepared leaves out the world files that a swap lays ready.
func withoutPrepared(tree string) string {
	var out []string
	for _, line := range strings.Split(tree, "\n") {
		if !strings.HasPrefix(line, "worlds/A/world.toml") && !strings.HasPrefix(line, "worlds/B/world.toml") {
			out = append(out, line)
		}
	}
	return strings.Join(out, "\n")
}

// A journal moves nothing that does not belong to a world.
func TestJournal(t *testing.T) {
	ok := journal{From: older, To: newer, Files: []string{"onion.keys", "boxes"}}
	if got, err := parseJournal(ok.format()); err != nil || fmt.Sprint(got) != fmt.Sprint(ok) {
		t.Errorf("read back %+v, %v; want %+v", got, err, ok)
	}
	for _, text := range []string{
		"", "\n", older + "\n", older + " " + older + "\n", older + " " + newer, "x " + newer + "\n", strings.ToUpper(older) + " " + newer + "\n",
		older + " " + newer + "\n\n", older + " " + newer + "\n../x\n", older + " " + newer + "\na/b\n", older + " " + newer + "\n..\n",
		older + " " + newer + "\nworld.toml\n", older + " " + newer + "\nworlds\n", older + " " + newer + "\n" + strings.Repeat("x\n", maxFiles+1),
	} {
		if j, err := parseJournal([]byte(text)); err == nil {
			t.Errorf("%q is read as %+v", text, j)
		}
	}
	dir := place(t)
	write(t, filepath.Join(dir, journalFile), "damaged")
	if err := Finish(dir); err == nil || !strings.Contains(err.Error(), journalFile) {
		t.Errorf("Finish with a damaged journal = %v, want its name", err)
	}
}

func FuzzJournal(f *testing.F) {
	f.Add([]byte(older + " " + newer + "\nonion.keys\n"))
	f.Add([]byte("x"))
	f.Fuzz(func(t *testing.T, text []byte) {
		j, err := parseJournal(text)
		if err != nil {
			return
		}
		if got := j.format(); string(got) != string(text) {
			t.Errorf("%q is read, and written as %q", text, got)
		}
		for _, name := range j.Files {
			if !filepath.IsLocal(name) || filepath.Base(name) != name {
				t.Errorf("%q would leave the directory", name)
			}
		}
	})
}
