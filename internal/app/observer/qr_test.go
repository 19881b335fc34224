package observer

import (
	"bytes"
	"strings"
	"testing"

	"rsc.io/qr"
)

// What is printed are the modules of the code, light ones as ink, with white around.
func TestQR(t *testing.T) {
	text := strings.Repeat("an invite\n", 190) // as long as that of three founders and three seeds
	var out bytes.Buffer
	columns, err := printQR(&out, text)
	if err != nil {
		t.Fatal(err)
	}
	code, err := qr.Encode(text, qr.L)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	if want := code.Size + 2*quiet; columns != want || len(lines) != (want+1)/2 {
		t.Fatalf("%d columns in %d lines, want %d in %d", columns, len(lines), want, (want+1)/2)
	}
	light := map[rune][2]bool{'█': {true, true}, '▀': {true, false}, '▄': {false, true}, ' ': {}}
	for i, line := range lines {
		ink := []rune(strings.TrimSuffix(strings.TrimPrefix(line, "\x1b[97;40m"), "\x1b[0m"))
		if len(ink) != columns {
			t.Fatalf("line %d has %d columns, want %d", i, len(ink), columns)
		}
		for j, r := range ink {
			for half, is := range light[r] {
				x, y := j-quiet, 2*i+half-quiet
				if is == code.Black(x, y) {
					t.Fatalf("module %d,%d is light: %v, and black in the code: %v", x, y, is, code.Black(x, y))
				}
			}
		}
	}
	if _, err := printQR(&out, strings.Repeat("x", 4000)); err == nil || !strings.Contains(err.Error(), "send the file") {
		t.Errorf("4000 bytes: %v, want what to do", err)
	}
}
