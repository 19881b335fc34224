package mirror

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"unicode"

	"github.com/culvert-net/culvert/mesh/directory/bundle"
	"github.com/culvert-net/culvert/mesh/quorum"
)

// TestDocumentedNumbers compares docs/spec/directory.md with the code.
func TestDocumentedNumbers(t *testing.T) {
	data, err := os.ReadFile("../../../docs/spec/directory.md")
	if err != nil {
		t.Fatal(err)
	}
	words := strings.Join(strings.FieldsFunc(string(data), unicode.IsSpace), " ")
	for _, text := range []string{
		fmt.Sprintf("A request has at most %d bytes, a response frame %d;", maxRequest, maxResponse),
		fmt.Sprintf("signed roots (at most %d, newest first)", maxRoots),
		fmt.Sprintf("byte vector, at most %d), descriptors (at most %d)", maxStamp, maxModels),
		fmt.Sprintf("at most %d in all", bundle.MaxLeaf),
		fmt.Sprintf("at most %d and %d MiB", bundle.MaxLeaves, bundle.MaxBytes>>20),
		fmt.Sprintf("sorted by signer, each once, at most %d", quorum.MaxSigners),
	} {
		if !strings.Contains(words, text) {
			t.Errorf("the document does not say %q", text)
		}
	}
}
