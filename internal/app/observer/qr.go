package observer

import (
	"fmt"
	"io"
	"strings"

	"rsc.io/qr"
)

// quiet is the white around a QR code, in modules, that scanners want.
const quiet = 4

// printQR prints text as a QR code of half blocks, two rows of modules to a line. The
// dark modules are what is left free, so that a terminal with a dark background
// shows it the right way round; the escape sequence sets the colours for every other.
// It returns how many columns that takes.
func printQR(out io.Writer, text string) (columns int, err error) {
	code, err := qr.Encode(text, qr.L)
	if err != nil {
		return 0, fmt.Errorf("the invite does not fit into a QR code (%d bytes): %w; send the file", len(text), err)
	}
	var b strings.Builder
	for y := -quiet; y < code.Size+quiet; y += 2 {
		b.WriteString("\x1b[97;40m")
		for x := -quiet; x < code.Size+quiet; x++ {
			// Black is false outside of the code.
			switch top, bottom := !code.Black(x, y), !code.Black(x, y+1); {
			case top && bottom:
				b.WriteString("█")
			case top:
				b.WriteString("▀")
			case bottom:
				b.WriteString("▄")
			default:
				b.WriteByte(' ')
			}
		}
		b.WriteString("\x1b[0m\n")
	}
	_, err = io.WriteString(out, b.String())
	return code.Size + 2*quiet, err
}
