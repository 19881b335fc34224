package onion

import (
	"os"
	"strings"
	"testing"

	"github.com/culvert-net/culvert/circuit/cell"
)

// The labels and offsets of docs/spec/circuit.md §2 and §3 are the code's.
func TestSpecTables(t *testing.T) {
	text, err := os.ReadFile("../../docs/spec/circuit.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []string{
		"| onion key id | `" + keyLabel + "` |",
		"| info | `" + infoLabel + "` |",
		"| protocol | `" + protocol + "` |",
		"| auth | `" + authLabel + "` |",
		"| X: the client's ephemeral X25519 key | 42 | 32 |",
		"| AUTH | 32 | 32 |",
		"| forward key | 0 | 32 |",
		"| forward nonce base | 32 | 12 |",
		"| backward key | 76 | 32 |",
		"| auth key | 152 | 32 |",
	} {
		if !strings.Contains(string(text), row+"\n") {
			t.Errorf("docs/spec/circuit.md lacks the row %s", row)
		}
	}
	if relayCommand != byte(cell.Relay) || Overhead != cell.TagSize {
		t.Error("onion and cell disagree on RELAY or on a layer's size")
	}
	if CreateSize != 74 || CreatedSize != 64 || keySize+nonceSize+chainSize != 76 {
		t.Error("sizes are not those of the spec's tables")
	}
}
