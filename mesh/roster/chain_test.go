package roster

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/culvert-net/culvert/mesh/world"
)

// openTest opens the chain of a world, and closes it with the test.
func openTest(tb testing.TB, dir string, w *world.World) *Chain {
	tb.Helper()
	c, err := OpenChain(dir, w)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = c.Close() })
	return c
}

// filled is a directory with a chain of five records: a founding, two
// additions, a branch and a choice.
func filled(t *testing.T) (dir string, g *group) {
	t.Helper()
	g, _, b, _ := forked(t)
	g.must(b, nil)
	choice, err := g.roster.ProposeChoice(g.founders[0].key, b.Hash())
	if err != nil {
		t.Fatal(err)
	}
	choice.Sign(g.founders[1].key)
	dir = t.TempDir()
	c := openTest(t, dir, g.world)
	for _, e := range g.roster.Entries(0) {
		if err := c.Append(e, nil, g.now); err != nil {
			t.Fatal(err)
		}
	}
	for _, err := range []error{g.roster.Choose(choice), c.Choose(choice), c.Close(), c.Close()} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir, g
}

func TestChainReopens(t *testing.T) {
	dir, g := filled(t)
	c := openTest(t, dir, g.world)
	wantGeneration, want := g.roster.Head()
	if generation, head := c.Roster().Head(); generation != wantGeneration || head != want {
		t.Errorf("head = %d %s, want %d %s", generation, head.Short(), wantGeneration, want.Short())
	}
	if len(c.Roster().Entries(0)) != 4 || len(c.Roster().Choices()) != 1 || len(c.Roster().Forks()) != 1 {
		t.Error("the chain forgot a branch or a choice")
	}
	info, err := os.Stat(filepath.Join(dir, chainFile))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode = %v, %v, want 0600", info.Mode(), err)
	}
	other, _ := testWorld(t, spec{n: 2, m: 1, t: 2})
	_, err = OpenChain(dir, other)
	wantError(t, err, ErrWorld)
}

// Cut at any byte, the file opens with the records that are whole, and takes
// the rest again.
func TestChainCutAnywhere(t *testing.T) {
	dir, g := filled(t)
	path := filepath.Join(dir, chainFile)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	rules := newRules(g.world)
	rules.verify = verifyOnce() // a thousand openings of the same entries
	for cut := headSize; cut <= len(whole); cut++ {
		for _, tail := range []int{0, 100} { // what a crash of the machine adds
			if tail > 0 && cut%5 != 0 {
				continue
			}
			if err := os.WriteFile(path, append(bytes.Clone(whole[:cut]), make([]byte, tail)...), 0o600); err != nil {
				t.Fatal(err)
			}
			c, err := openChain(dir, newRoster(rules), func(p string) (disk, error) {
				file, err := os.OpenFile(p, os.O_RDWR, 0)
				return hasty{file}, err
			})
			if err != nil {
				t.Fatalf("cut at %d, %d zeros: %v", cut, tail, err)
			}
			for _, e := range g.roster.Entries(0) {
				if err := c.Append(e, nil, g.now); err != nil {
					t.Fatalf("cut at %d: %v", cut, err)
				}
			}
			for _, choice := range g.roster.Choices() {
				if err := c.Choose(choice); err != nil {
					t.Fatalf("cut at %d: %v", cut, err)
				}
			}
			if err := c.Close(); err != nil {
				t.Fatal(err)
			}
			after, err := os.ReadFile(path)
			if err != nil || len(after) != len(whole) {
				t.Fatalf("cut at %d, %d zeros: the file has %d bytes afterwards, want %d", cut, tail, len(after), len(whole))
			}
		}
	}
	for cut := range headSize {
		if err := os.WriteFile(path, whole[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := OpenChain(dir, g.world) // never written like this: the head comes whole
		wantError(t, err, ErrDamaged)
	}
}

// hasty is a disk that waits for nothing: thousands of files are not flushed.
type hasty struct{ *os.File }

func (hasty) Sync() error { return nil }

// A flipped bit is damage, unless it is in the last record, where it may be
// half a write.
func TestChainDamaged(t *testing.T) {
	dir, g := filled(t)
	path := filepath.Join(dir, chainFile)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	ends := []int{headSize}
	for at := headSize; at < len(whole); {
		_, _, n, err := readRecord(whole[at:])
		if err != nil || n == 0 {
			t.Fatal(err)
		}
		at += n
		ends = append(ends, at)
	}
	last := ends[len(ends)-2]
	rules := newRules(g.world)
	rules.verify = verifyOnce()
	for at := 0; at < len(whole); at += 3 {
		b := bytes.Clone(whole)
		b[at] ^= 0x10
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := openChain(dir, newRoster(rules), func(p string) (disk, error) { return os.OpenFile(p, os.O_RDWR, 0) })
		switch {
		case at < last && err == nil:
			t.Fatalf("a flipped bit at %d is not found", at)
		case at >= last+recordHead && err != nil:
			t.Fatalf("a flipped bit at %d, in the last record: %v", at, err)
		}
		if err == nil {
			_ = c.Close()
		} else if after, _ := os.ReadFile(path); !bytes.Equal(after, b) {
			t.Fatalf("a damaged file was changed")
		}
	}
	wantErr := append(bytes.Clone(whole), record(9, nil)...)
	if err := os.WriteFile(path, wantErr, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = OpenChain(dir, g.world)
	wantError(t, err, ErrDamaged)
}

// flaky is a disk of which one step fails, before or after it was done.
type flaky struct {
	*os.File
	steps int // until one fails; negative: never
	done  bool
	all   bool // every step after it fails too
	count int
}

var errDisk = errors.New("the disk says no")

func (f *flaky) step(do func() error) error {
	f.count++
	fails := f.count-1 == f.steps || f.all && f.steps >= 0 && f.count-1 > f.steps
	if fails && !f.done {
		return errDisk
	}
	if err := do(); err != nil {
		return err
	}
	if fails {
		return errDisk
	}
	return nil
}

func (f *flaky) WriteAt(b []byte, off int64) (n int, err error) {
	if f.count == f.steps && !f.done { // half of it
		f.count++
		n, _ = f.File.WriteAt(b[:len(b)/2], off)
		return n, errDisk
	}
	err = f.step(func() error { n, err = f.File.WriteAt(b, off); return err })
	return n, err
}
func (f *flaky) Sync() error { return f.step(f.File.Sync) }
func (f *flaky) Truncate(size int64) error {
	return f.step(func() error { return f.File.Truncate(size) })
}

// For each step of a write: it fails and was not done, fails and was done, and
// all after it fail as well. The chain goes on, or says that it cannot; either
// way it opens again, with or without the entry, and takes it then.
func TestChainWriteFails(t *testing.T) {
	for step := range 2 {
		for _, done := range []bool{false, true} {
			for _, all := range []bool{false, true} {
				t.Run(fmt.Sprintf("step %d done %v all %v", step, done, all), func(t *testing.T) {
					g := newGroup(t, spec{n: 1, m: 1, t: 1})
					dir := t.TempDir()
					f := &flaky{steps: -1, done: done, all: all}
					c, err := openChain(dir, New(g.world), func(path string) (d disk, err error) {
						f.File, err = os.OpenFile(path, os.O_RDWR, 0)
						return f, err
					})
					if err != nil {
						t.Fatal(err)
					}
					first := g.roster.Entries(0)[0]
					if err := c.Append(first, nil, g.now); err != nil {
						t.Fatal(err)
					}
					next := g.add(someone(20, ""))
					f.count, f.steps = 0, step
					wantError(t, c.Append(next, nil, g.now), errDisk)
					if c.Roster().Has(next.Hash()) {
						t.Error("an entry that was not written is not there")
					}
					f.steps = -1
					err = c.Append(next, nil, g.now)
					if all {
						wantError(t, err, ErrBroken)
					} else {
						wantError(t, err, nil)
					}
					if err := c.Close(); err != nil {
						t.Fatal(err)
					}
					again := openTest(t, dir, g.world)
					if !again.Roster().Has(first.Hash()) {
						t.Error("an entry that was written is gone")
					}
					if !all && !again.Roster().Has(next.Hash()) {
						t.Error("an entry that was written the second time is gone")
					}
					wantError(t, again.Append(next, nil, g.now), nil)
				})
			}
		}
	}
}

// Many entries are flushed once. If that fails the chain says so, and what it
// has on the disk is a beginning of what it was given.
func TestChainAppendAll(t *testing.T) {
	_, g := filled(t)
	for _, step := range []int{-1, 0, 3, 5} { // no failure, the first write, another, the flush
		dir := t.TempDir()
		f := &flaky{steps: step}
		c, err := openChain(dir, New(g.world), func(path string) (d disk, err error) {
			f.File, err = os.OpenFile(path, os.O_RDWR, 0)
			return f, err
		})
		if err != nil {
			t.Fatal(err)
		}
		err = c.AppendAll(g.roster.Entries(0), g.roster.Choices(), g.now)
		switch {
		case step < 0 && (err != nil || f.count != 6):
			t.Errorf("%v after %d steps, want five writes and one flush", err, f.count)
		case step >= 0:
			wantError(t, err, errDisk)
		}
		if step == 5 {
			wantError(t, c.AppendAll(nil, nil, g.now), nil)
			wantError(t, c.Append(g.forge(g.founders[0], nil, nil), nil, g.now.Add(time.Hour)), ErrRotation)
			c.mu.Lock()
			wantError(t, c.write(nil), ErrBroken)
			c.mu.Unlock()
		}
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		c = openTest(t, dir, g.world)
		if err := c.AppendAll(g.roster.Entries(0), g.roster.Choices(), g.now); err != nil {
			t.Errorf("step %d: a second time: %v", step, err)
		}
		if n, _ := c.Roster().Head(); n != 2 || len(c.Roster().Entries(0)) != 4 {
			t.Errorf("step %d: head = %d, %d entries", step, n, len(c.Roster().Entries(0)))
		}
	}
}

func TestChainOpenFails(t *testing.T) {
	dir, g := filled(t)
	path := filepath.Join(dir, chainFile)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	torn := whole[:len(whole)-5]
	for step := range 2 { // to cut off what is torn, and to sync
		if err := os.WriteFile(path, torn, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := openChain(dir, New(g.world), func(p string) (disk, error) {
			file, err := os.OpenFile(p, os.O_RDWR, 0)
			return &flaky{File: file, steps: step}, err
		})
		wantError(t, err, errDisk)
		openTest(t, dir, g.world)
	}
	_, err = openChain(dir, New(g.world), func(string) (disk, error) { return nil, errDisk })
	wantError(t, err, errDisk)
	_, err = OpenChain(filepath.Join(dir, "nowhere"), g.world)
	wantError(t, err, fs.ErrNotExist)
}

func TestBoxesAreKept(t *testing.T) {
	g := newGroup(t, spec{n: 2, m: 2, t: 2})
	dir := t.TempDir()
	c := openTest(t, dir, g.world)
	first := g.roster.Entries(0)[0]
	if err := c.Append(first, nil, g.now); err != nil {
		t.Fatal(err)
	}
	change := g.approved(Change{Kind: Add, Member: someone(20, "").Member}, g.founders...)
	e, boxes, err := c.Roster().Propose(g.founders[0].key, []Change{change}, NoProviders{}, g.now)
	if err != nil {
		t.Fatal(err)
	}

	// Boxes that are not the proposer's, or not for all, keep the entry out.
	bad := boxes
	bad.Sealed = bad.Sealed[1:]
	wantError(t, c.Append(e, &bad, g.now), ErrSignature)
	bad, err = sealBoxes(g.founders[0].key, e, g.roster.Members(), world.RandomSecret())
	if err != nil {
		t.Fatal(err)
	}
	wantError(t, c.Append(e, &bad, g.now), ErrForm)
	wantError(t, c.PutBoxes(boxes), ErrParent)
	if err := c.Extend(e, boxes, g.now); err != nil {
		t.Fatal(err)
	}
	if err := c.Extend(e, boxes, g.now); err != nil {
		t.Errorf("to extend by the same entry again: %v", err)
	}
	if err := c.PutBoxes(boxes); err != nil {
		t.Error(err)
	}
	got, err := c.Boxes(e.Hash())
	if err != nil || !bytes.Equal(got.Canonical(), boxes.Canonical()) {
		t.Errorf("Boxes = %v", err)
	}
	_, err = c.Boxes(first.Hash())
	wantError(t, err, fs.ErrNotExist)

	// What another made meanwhile is not forked by ours.
	stale, staleBoxes := g.forge(g.founders[0], []Change{g.approved(Change{Kind: Add, Member: someone(21, "").Member}, g.founders...)}, nil), Boxes{}
	wantError(t, c.Extend(stale, staleBoxes, g.now), ErrStale)

	// Boxes go with the horizon, those of the head stay.
	if err := os.WriteFile(filepath.Join(dir, boxDir, world.Hash{7}.String()), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := c.PruneBoxes(g.now); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, boxDir, world.Hash{7}.String())); !errors.Is(err, fs.ErrNotExist) {
		t.Error("boxes of no entry stay")
	}
	g.later(30 * 24 * time.Hour)
	if err := c.PruneBoxes(g.now); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Boxes(e.Hash()); err != nil {
		t.Errorf("the head's boxes are gone: %v", err)
	}
	path := filepath.Join(dir, boxDir, e.Hash().String())
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	raw[70] ^= 1
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = c.Boxes(e.Hash())
	wantError(t, err, ErrDamaged)
}
