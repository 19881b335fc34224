package quorum_test

import (
	"bufio"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/culvert-net/culvert/mesh/quorum"
	"github.com/culvert-net/culvert/mesh/sealed"
	"github.com/culvert-net/culvert/mesh/world"
)

func open(t testing.TB, path string) *quorum.Memory {
	t.Helper()
	m, err := quorum.OpenMemory(path, testWorld())
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// claim has a memory sign a content for a slot.
func claim(m *quorum.Memory, slot quorum.Slot, content string) error {
	_, err := m.Sign(signer(1), quorum.Statement{World: testWorld(), Slot: slot, Content: hash(content)}, func() error { return nil })
	return err
}

func TestOneStatementPerSlot(t *testing.T) {
	path := filepath.Join(t.TempDir(), "signed.db")
	m := open(t, path)
	statement := func(slot quorum.Slot, content string) quorum.Statement {
		return quorum.Statement{World: testWorld(), Slot: slot, Content: hash(content)}
	}
	yes := func() error { return nil }
	first, err := m.Sign(signer(1), statement(quorum.RootOf(7), "a"), yes)
	if err != nil {
		t.Fatal(err)
	}
	no := errors.New("not so")
	for range 2 { // the second time after a restart
		if _, err := m.Sign(signer(1), statement(quorum.RootOf(7), "b"), yes); !errors.Is(err, quorum.ErrTaken) {
			t.Errorf("another content: %v, want ErrTaken", err)
		}
		again, err := m.Sign(signer(1), statement(quorum.RootOf(7), "a"), func() error { return no })
		if err != nil || again != first {
			t.Errorf("the same again: %v, want the same signature", err)
		}
		if content, ok := m.Signed(quorum.RootOf(7)); !ok || content != hash("a") {
			t.Errorf("Signed = %v, %v", content, ok)
		}
		m = open(t, path)
	}
	if _, err := m.Sign(signer(1), statement(quorum.RootOf(8), "a"), func() error { return no }); !errors.Is(err, no) {
		t.Errorf("a check that fails: %v", err)
	}
	if _, ok := m.Signed(quorum.RootOf(8)); ok {
		t.Error("what the check refused has the slot")
	}
	other := statement(quorum.RootOf(8), "a")
	other.World = hash("other")
	if _, err := m.Sign(signer(1), other, yes); !errors.Is(err, quorum.ErrWorld) {
		t.Errorf("another world: %v", err)
	}
	if err := claim(m, quorum.SealOf(7), "b"); err != nil {
		t.Errorf("another kind: %v", err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

// What is forgotten is refused, so forgetting contradicts nothing.
func TestMemoryStaysSmall(t *testing.T) {
	path := filepath.Join(t.TempDir(), "signed.db")
	m := open(t, path)
	const many = 400
	for e := range uint64(many) {
		if err := claim(m, quorum.RootOf(e), "a"); err != nil {
			t.Fatal(err)
		}
	}
	if info, err := os.Stat(path); err != nil || info.Size() > 64<<10 {
		t.Errorf("the file has %d bytes, %v", info.Size(), err)
	}
	m = open(t, path)
	for e := range uint64(many) {
		if err := claim(m, quorum.RootOf(e), "b"); !errors.Is(err, quorum.ErrTaken) && !errors.Is(err, quorum.ErrOld) {
			t.Fatalf("epoch %d can be signed twice: %v", e, err)
		}
	}
	if err := claim(m, quorum.SealOf(0), "b"); err != nil {
		t.Errorf("another kind: %v", err)
	}
	if err := claim(m, quorum.RootOf(many), "b"); err != nil {
		t.Errorf("the next epoch: %v", err)
	}
}

// A file that cannot be read is not replaced by an empty one, and a claim that
// is not on disk is none.
func TestMemoryRefuses(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "signed.db")
	m := open(t, path)
	if err := claim(m, quorum.RootOf(7), "a"); err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range len(good) {
		bad := slices.Clone(good)
		bad[i] ^= 0x10
		for _, content := range [][]byte{bad, good[:i]} {
			if err := os.WriteFile(path, content, 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := quorum.OpenMemory(path, testWorld()); err == nil || !strings.Contains(err.Error(), path) {
				t.Fatalf("damaged at %d: %v, want an error that names the file", i, err)
			}
		}
	}
	if err := sealed.Write(path, "CULVSGN\x01", hash("other"), nil); err != nil {
		t.Fatal(err)
	}
	if _, err := quorum.OpenMemory(path, testWorld()); !errors.Is(err, sealed.ErrOtherWorld) {
		t.Errorf("another world's: %v", err)
	}

	gone := open(t, filepath.Join(dir, "missing", "signed.db"))
	if err := claim(gone, quorum.RootOf(7), "a"); err == nil {
		t.Error("a claim that is not on disk is taken for one")
	}
	if _, ok := gone.Signed(quorum.RootOf(7)); ok {
		t.Error("a claim that failed has the slot")
	}
}

// A file of the format has a zero where a third kind had its floor. What such a
// kind has in it is not taken for something else.
func TestMemoryFormat(t *testing.T) {
	path := filepath.Join(t.TempDir(), "signed.db")
	content := hash("a")
	record := func(kind, number byte) []byte { return append([]byte{kind, number}, content[:]...) }
	write := func(head []byte, records ...[]byte) {
		t.Helper()
		all := append(head, byte(len(records)))
		if err := sealed.Write(path, "CULVSGN\x01", testWorld(), append(all, slices.Concat(records...)...)); err != nil {
			t.Fatal(err)
		}
	}
	write([]byte{5, 6, 0}, record(0, 7), record(1, 9))
	m := open(t, path)
	for _, slot := range []quorum.Slot{quorum.RootOf(7), quorum.SealOf(9)} {
		if got, ok := m.Signed(slot); !ok || got != content {
			t.Errorf("Signed(%v) = %v, %v", slot, got, ok)
		}
	}
	for _, slot := range []quorum.Slot{quorum.RootOf(4), quorum.SealOf(5)} {
		if err := claim(m, slot, "b"); !errors.Is(err, quorum.ErrOld) {
			t.Errorf("the %v, below the floor: %v", slot, err)
		}
	}
	parent := hash("p")
	third := slices.Concat([]byte{2, 3}, parent[:], content[:])
	for _, bad := range []struct {
		head    []byte
		records [][]byte
	}{{[]byte{5, 6, 8}, [][]byte{record(0, 7)}}, {[]byte{5, 6, 0}, [][]byte{record(0, 7), third}}} {
		write(bad.head, bad.records...)
		if _, err := quorum.OpenMemory(path, testWorld()); err == nil || !strings.Contains(err.Error(), "a kind that signers do not sign") {
			t.Errorf("a file with a third kind: %v", err)
		}
	}
}

// Of two that are both old the one that is being signed stays, and the memory does
// not grow.
func TestMemoryOfOld(t *testing.T) {
	path := filepath.Join(t.TempDir(), "signed.db")
	m := open(t, path)
	for e := range uint64(300) {
		if err := claim(m, quorum.RootOf(1000+e), "a"); err != nil {
			t.Fatal(err)
		}
		if e == 255 { // full, with nothing forgotten yet
			if err := claim(m, quorum.RootOf(3), "a"); err != nil {
				t.Fatal(err)
			}
			if err := claim(m, quorum.RootOf(3), "b"); !errors.Is(err, quorum.ErrTaken) {
				t.Errorf("what was just signed is forgotten: %v", err)
			}
			if err := claim(m, quorum.RootOf(1000), "b"); !errors.Is(err, quorum.ErrOld) {
				t.Errorf("what was forgotten can be signed otherwise: %v", err)
			}
		}
	}
	for _, e := range []uint64{3, 4, 1000, 1043} {
		if err := claim(m, quorum.RootOf(e), "b"); !errors.Is(err, quorum.ErrOld) {
			t.Errorf("epoch %d: %v, want ErrOld", e, err)
		}
	}
}

const pathOfChild = "CULVERT_TEST_SIGNER"

// TestKilledChild is the process that TestKilled kills: it signs a content of
// its own for one epoch after another and says so once the signature is there.
// Epochs before the last it goes through again, and must not sign otherwise.
func TestKilledChild(t *testing.T) {
	path := os.Getenv(pathOfChild)
	if path == "" {
		return
	}
	m := open(t, path)
	for e := uint64(0); ; e++ {
		content := hash(fmt.Sprint(os.Getpid(), e))
		s := quorum.Statement{World: testWorld(), Slot: quorum.RootOf(e), Content: content}
		_, err := m.Sign(signer(1), s, func() error { return nil })
		switch {
		case errors.Is(err, quorum.ErrTaken), errors.Is(err, quorum.ErrOld):
		case err != nil:
			t.Fatal(err)
		default:
			fmt.Printf("%d %v\n", e, content)
		}
	}
}

// Whenever the signer is killed, of no epoch two contents get its signature.
func TestKilled(t *testing.T) {
	path := filepath.Join(t.TempDir(), "signed.db")
	rounds := 12
	if testing.Short() {
		rounds = 3
	}
	signed := make(map[uint64]world.Hash)
	for round := range rounds {
		cmd := exec.Command(os.Args[0], "-test.run=^TestKilledChild$")
		cmd.Env = append(os.Environ(), pathOfChild+"="+path)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		hang := time.AfterFunc(10*time.Second, func() { _ = cmd.Process.Kill() })
		lines := bufio.NewScanner(out)
		read := func() bool {
			if !lines.Scan() {
				return false
			}
			var e uint64
			var text string
			if _, err := fmt.Sscan(lines.Text(), &e, &text); err != nil {
				return true // half a line, when it was killed
			}
			content, err := world.ParseHash(text)
			if err != nil {
				return true
			}
			if old, twice := signed[e]; twice && old != content {
				t.Errorf("round %d: epoch %d was signed as %v and as %v", round, e, old, content)
			}
			signed[e] = content
			return true
		}
		for range rand.IntN(30) {
			if !read() {
				t.Fatalf("round %d: the signer ended by itself", round)
			}
		}
		time.Sleep(time.Duration(rand.IntN(int(3 * time.Millisecond)))) // anywhere within a signature
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		for read() { // what it had said already
		}
		_ = cmd.Wait() // says that it was killed
		hang.Stop()
		m := open(t, path)
		for e, content := range signed {
			if err := claim(m, quorum.RootOf(e), "another"); err == nil {
				t.Fatalf("round %d: epoch %d was signed as %v, and can be signed otherwise", round, e, content)
			}
		}
	}
	if len(signed) == 0 {
		t.Error("nothing was ever signed")
	}
}

func FuzzMemory(f *testing.F) {
	path := filepath.Join(f.TempDir(), "signed.db")
	m := open(f, path)
	for _, slot := range []quorum.Slot{quorum.RootOf(3), quorum.SealOf(9)} {
		if err := claim(m, slot, "a"); err != nil {
			f.Fatal(err)
		}
	}
	good, err := sealed.Read(path, "CULVSGN\x01", testWorld(), 1<<16)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte{0, 0, 0, 0})
	f.Add([]byte{0, 0, 7, 0})
	f.Fuzz(func(t *testing.T, content []byte) {
		path := filepath.Join(t.TempDir(), "signed.db")
		if err := sealed.Write(path, "CULVSGN\x01", testWorld(), content); err != nil {
			t.Fatal(err)
		}
		m, err := quorum.OpenMemory(path, testWorld())
		if err != nil {
			return
		}
		// What was read can be added to, and read again.
		_ = claim(m, quorum.RootOf(1<<40), "b") // may be taken, or too old
		if _, err := quorum.OpenMemory(path, testWorld()); err != nil {
			t.Errorf("what was written cannot be read: %v", err)
		}
	})
}
