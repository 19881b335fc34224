package cell_test

import (
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/culvert-net/culvert/circuit/cell"
)

// The tables of docs/spec/circuit.md are what another implementation is
// written from: each named byte in them must be the code's, and none missing.
func TestSpecTables(t *testing.T) {
	text, err := os.ReadFile("../../docs/spec/circuit.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := func(heading string) map[string]int {
		_, rest, ok := strings.Cut(string(text), "| "+heading)
		if !ok {
			t.Fatalf("docs/spec/circuit.md has no table %q", heading)
		}
		table, _, _ := strings.Cut(rest, "\n\n")
		found := make(map[string]int)
		for _, m := range regexp.MustCompile(`(?m)^\| ([A-Za-z_]+)[^|]*\| (\d+) \|`).FindAllStringSubmatch(table, -1) {
			n, err := strconv.Atoi(m[2])
			if err != nil {
				t.Fatal(err)
			}
			found[m[1]] = n
		}
		return found
	}
	same := func(heading string, code map[string]int) {
		doc := rows(heading)
		for name, n := range code {
			if got, ok := doc[name]; !ok || got != n {
				t.Errorf("%s: %s is %d in the code and %d (%v) in the document", heading, name, n, got, ok)
			}
		}
		if len(doc) != len(code) {
			t.Errorf("%s: %d rows in the document, %d in the code", heading, len(doc), len(code))
		}
	}
	same("command | byte", map[string]int{
		"CREATE": int(cell.Create), "CREATED": int(cell.Created), "RELAY": int(cell.Relay),
		"DESTROY": int(cell.Destroy), "PADDING": int(cell.Padding),
	})
	same("reason of DESTROY", map[string]int{
		"closed": int(cell.Closed), "finished": int(cell.Finished), "busy": int(cell.Busy),
	})
	same("message | kind", map[string]int{
		"EXTEND": int(cell.Extend), "EXTENDED": int(cell.Extended), "EXTEND_FAILED": int(cell.ExtendFailed),
		"OPEN": int(cell.Open), "DATA": int(cell.Data), "END": int(cell.End), "RESET": int(cell.Reset),
		"CREDIT": int(cell.Credit), "PING": int(cell.Ping), "PONG": int(cell.Pong), "DROP": int(cell.Drop),
	})
	same("field | offset", map[string]int{"kind": 0, "flags": 1, "stream": 2, "length": 4, "data": cell.HeaderSize})

	b := make([]byte, 32)
	cell.Put(b, cell.Message{Kind: cell.Data, Stream: 0x0102, Data: []byte("abc")})
	if want := "\x05\x00\x01\x02\x00\x03abc"; string(b[:9]) != want {
		t.Errorf("a message is laid out as %q, want %q", b[:9], want)
	}
}
