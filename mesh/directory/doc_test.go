package directory

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// TestDocumentedNumbers compares docs/spec/directory.md with the code.
func TestDocumentedNumbers(t *testing.T) {
	data, err := os.ReadFile("../../docs/spec/directory.md")
	if err != nil {
		t.Fatal(err)
	}
	doc := string(data)
	for r := ReasonWorld; r <= ReasonNoRoot; r++ {
		if row := fmt.Sprintf("| %d | %s |\n", r, r.Error()); !strings.Contains(doc, row) {
			t.Errorf("§4 lacks the row %q", row)
		}
	}
	for _, text := range []string{
		fmt.Sprintf("at most %d canonical bytes", MaxDescriptor),
		fmt.Sprintf("room for %d keys and %d MiB", maxKeys, maxEpochBytes>>20),
		fmt.Sprintf("At most %d lines of 1 to %d\nbytes", maxLines, maxLine),
		fmt.Sprintf("at most %d models", maxModels),
		fmt.Sprintf("at most %d seqs", maxSeqs),
		fmt.Sprintf("| `/…` | 1–%d |", maxAddrs),
		fmt.Sprintf("| `cap:<label>` | 0–%d |", maxCaps),
	} {
		if !strings.Contains(doc, text) {
			t.Errorf("the document does not say %q", text)
		}
	}
}
