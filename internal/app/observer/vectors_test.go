package observer_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/observer"
)

// runVectors runs the command and gives what it printed and its exit code.
func runVectors(t *testing.T, args ...string) (string, int) {
	t.Helper()
	var out strings.Builder
	cmd := observer.VectorsCommand()
	cmd.SetArgs(args)
	cmd.SetOut(&out)
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	err := cmd.ExecuteContext(t.Context())
	return out.String(), app.Code(err)
}

func TestVectors(t *testing.T) {
	const reference = "../../../mesh/world/testdata/terraingossip.json"
	out, code := runVectors(t, reference)
	if code != app.ExitOK || strings.Count(out, "ok ") != 4 {
		t.Errorf("exit %d, %q", code, out)
	}
	ours := filepath.Join(t.TempDir(), "ours.json")
	if out, code := runVectors(t, "--write", ours); code != app.ExitOK || out != "" {
		t.Fatalf("exit %d, %q", code, out)
	}
	data, err := os.ReadFile(ours)
	if err != nil {
		t.Fatal(err)
	}
	committed, err := os.ReadFile("../../../mesh/vectors/testdata/vectors.json")
	if err != nil || string(committed) != string(data) {
		t.Errorf("--write writes something else than what is committed: %v", err)
	}
	if out, code = runVectors(t, "--json", ours); code != app.ExitOK {
		t.Errorf("exit %d, %s", code, out)
	}
	for line := range strings.Lines(out) {
		var l struct {
			Name, Detail string
			OK           bool
		}
		if err := json.Unmarshal([]byte(line), &l); err != nil || !l.OK || l.Name == "" || l.Detail == "" {
			t.Errorf("line %q: %v", line, err)
		}
	}

	// A published value that is wrong is exit 1, and the line says what was
	// expected.
	text, err := os.ReadFile(reference)
	if err != nil {
		t.Fatal(err)
	}
	broken := filepath.Join(t.TempDir(), "broken.json")
	if err := os.WriteFile(broken, []byte(strings.Replace(string(text), "740102030405060708090a", "7401020304050607080a", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	out, code = runVectors(t, broken)
	if code != app.ExitFailed || strings.Count(out, "MISMATCH") != 1 || !strings.Contains(out, "canonical_bytes_hex: expected 166c6c") {
		t.Errorf("exit %d, %q", code, out)
	}
}

func TestVectorsUsage(t *testing.T) {
	evil := filepath.Join(t.TempDir(), "evil.json")
	if err := os.WriteFile(evil, []byte(`[{"name": "\u001b[2J"}]`), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, code := runVectors(t, evil); code != app.ExitFailed || strings.Contains(out, "\x1b") {
		t.Errorf("exit %d, %q", code, out)
	}
	for _, args := range [][]string{{filepath.Join(t.TempDir(), "none.json")}, {os.DevNull}} {
		if out, code := runVectors(t, args...); code != app.ExitUsage || out != "" {
			t.Errorf("%q: exit %d, %q", args, code, out)
		}
	}
	if _, code := runVectors(t); code == app.ExitOK {
		t.Error("without a file it succeeds")
	}
}
