package keystore

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/culvert-net/culvert/api/keys"
)

// killed is set for the process that is to be killed: the store's path.
const killed = "CULVERT_TEST_KEYSTORE"

func wei(t *testing.T, text string) keys.Amount {
	t.Helper()
	a, err := keys.ParseAmount(text)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// A process that is killed has lost what it spent since the last save and nothing
// else: a key that had reached its limit is still refused, and so are all who
// have none.
func TestMoneyKilled(t *testing.T) {
	limit := keys.Money{Month: wei(t, "100")}
	if path := os.Getenv(killed); path != "" {
		spend(t, path, limit)
		return
	}
	path := filepath.Join(t.TempDir(), File)
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, "-test.run=^TestMoneyKilled$")
	cmd.Env = append(os.Environ(), killed+"="+path)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	key, lines := "", bufio.NewScanner(out)
	for lines.Scan() {
		if text, ok := strings.CutPrefix(lines.Text(), "spent with "); ok {
			key = text
			break
		}
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
	if key == "" {
		t.Fatal("the other process did not spend anything")
	}
	r := ring(t, openFile(t, path))
	g, err := r.Find(key)
	if err != nil {
		t.Fatal(err)
	}
	for whose, b := range map[string]*keys.Budget{"the key": g.Budget(), "who has none": r.Keyless(limit)} {
		if _, refused := errors.AsType[*keys.LimitError](b.Afford()); !refused {
			t.Errorf("%s may spend again, beyond the limit", whose)
		}
	}
	if used := r.List()[0].Used["month"].Money; used != wei(t, "120") && used != wei(t, "127") {
		t.Errorf("%s wei are counted, want 120, or 127 with what was not waited for", used)
	}
}

// spend spends more than limit, waits until that is on the disk, spends a little
// more, and waits to be killed.
func spend(t *testing.T, path string, limit keys.Money) {
	file := openFile(t, path)
	r := ring(t, file)
	go func() { _ = r.Run(t.Context()) }()
	key, k, err := r.Add(t.Context(), "k", keys.Rules{Money: limit})
	if err != nil {
		t.Fatal(err)
	}
	g, err := r.Find(key)
	if err != nil {
		t.Fatal(err)
	}
	g.Budget().Spent("120")
	r.Keyless(limit).Spent("100")
	store, err := New(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		_, used, err := store.Load(t.Context())
		if err != nil || time.Now().After(deadline) {
			t.Fatalf("what was spent is not on the disk: %v", err)
		}
		if u := used[k.ID]; u[len(u)-1].Money == wei(t, "120") && len(used) == 2 {
			break
		}
	}
	g.Budget().Spent("7")
	fmt.Println("spent with " + key)
	time.Sleep(time.Minute) // until it is killed
}
