package openapi

import (
	"bytes"
	"errors"
	"flag"
	"io/fs"
	"os"
	"testing"
)

// The description as OpenAI publishes it, which is too large to keep here.
var (
	whole  = flag.String("description", "../../../shared/openai/openapi.json", "OpenAI's whole description")
	update = flag.Bool("update", false, "write testdata/openapi.json anew from it")
)

// The copy is what Trim makes of the whole description, and nobody's edit.
func TestTrimmedCopy(t *testing.T) {
	full, err := os.ReadFile(*whole)
	if errors.Is(err, fs.ErrNotExist) && *update {
		// A skip would say ok, and nothing is written.
		t.Fatalf("the whole description is not at %s: take it from github.com/openai/openai-openapi, as JSON, and run "+
			"go test ./internal/openapi -run TestTrimmedCopy -update -description /path/to/it", *whole)
	}
	if errors.Is(err, fs.ErrNotExist) {
		t.Skipf("SKIP TestTrimmedCopy: the whole description is not at %s", *whole)
	}
	if err != nil {
		t.Fatal(err)
	}
	want, err := Trim(full)
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile("testdata/openapi.json", want, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if !bytes.Equal(trimmed, want) {
		t.Error("testdata/openapi.json is not what Trim makes of the whole description; run go generate ./internal/openapi")
	}
}
