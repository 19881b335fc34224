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
	// A rotation's place is its parent, whatever generation it says it makes.
	if err := m.Claim(quorum.RotationOf(2, hash("p")), hash("a")); err != nil {
		t.Fatal(err)
	}
	if err := m.Claim(quorum.RotationOf(9, hash("p")), hash("b")); !errors.Is(err, quorum.ErrTaken) {
		t.Errorf("another generation after the same entry: %v", err)
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
		if err := m.Claim(quorum.RootOf(e), hash("a")); err != nil {
			t.Fatal(err)
		}
		if err := m.Claim(quorum.RotationOf(5, hash(fmt.Sprint(e))), hash("a")); err != nil && !errors.Is(err, quorum.ErrOld) {
			t.Fatal(err)
		}
	}
	if info, err := os.Stat(path); err != nil || info.Size() > 64<<10 {
		t.Errorf("the file has %d bytes, %v", info.Size(), err)
	}
	m = open(t, path)
	for e := range uint64(many) {
		if err := m.Claim(quorum.RootOf(e), hash("b")); !errors.Is(err, quorum.ErrTaken) && !errors.Is(err, quorum.ErrOld) {
			t.Fatalf("epoch %d can be signed twice: %v", e, err)
		}
		if err := m.Claim(quorum.RotationOf(5, hash(fmt.Sprint(e))), hash("b")); err == nil {
			t.Fatalf("rotation %d can be signed twice", e)
		}
	}
	if err := m.Claim(quorum.SealOf(0), hash("b")); err != nil {
		t.Errorf("another kind: %v", err)
	}
	if err := m.Claim(quorum.RootOf(many), hash("b")); err != nil {
		t.Errorf("the next epoch: %v", err)
	}
}

// A file that cannot be read is not replaced by an empty one, and a claim that
// is not on disk is none.
func TestMemoryRefuses(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "signed.db")
	m := open(t, path)
	if err := m.Claim(quorum.RootOf(7), hash("a")); err != nil {
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
	if err := gone.Claim(quorum.RootOf(7), hash("a")); err == nil {
		t.Error("a claim that is not on disk is taken for one")
	}
	if _, ok := gone.Signed(quorum.RootOf(7)); ok {
		t.Error("a claim that failed has the slot")
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
			if err := m.Claim(quorum.RootOf(e), hash("another")); err == nil {
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
	for _, slot := range []quorum.Slot{quorum.RootOf(3), quorum.SealOf(9), quorum.RotationOf(1, hash("p"))} {
		if err := m.Claim(slot, hash("a")); err != nil {
			f.Fatal(err)
		}
	}
	good, err := sealed.Read(path, "CULVSGN\x01", testWorld(), 1<<16)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte{0, 0, 0, 0})
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
		_ = m.Claim(quorum.RootOf(1<<40), hash("b")) // may be taken, or too old
		if _, err := quorum.OpenMemory(path, testWorld()); err != nil {
			t.Errorf("what was written cannot be read: %v", err)
		}
	})
}
