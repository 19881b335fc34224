package observer

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// How much of a file has been read is said where it is known.
func TestShareOf(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log.jsonl")
	if err := os.WriteFile(path, []byte(strings.Repeat("x", 200)), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, want := range []string{", 0 % of the file", ", 41 % of the file", ", 82 % of the file"} {
		if got := shareOf(f); got != want {
			t.Errorf("share %q, want %q", got, want)
		}
		if _, err := io.CopyN(io.Discard, f, 82); err != nil && want != ", 82 % of the file" {
			t.Fatal(err)
		}
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	for _, f := range []*os.File{nil, r} {
		if got := shareOf(f); got != "" {
			t.Errorf("of a stream: %q", got)
		}
	}
}
