package apptest

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// patience is how long anything may take.
const patience = 10 * time.Second

// Person sits at a terminal.
type Person struct {
	TTY  *os.File // standard input and error of what is tested
	Seen string   // all that was on the screen, as far as Waits has read

	screen *os.File
}

// NewPerson makes a terminal, or skips the test where there are none.
func NewPerson(t testing.TB) *Person {
	t.Helper()
	screen, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skipf("SKIP terminal: %v", err)
	}
	t.Cleanup(func() { screen.Close() })
	raw, err := screen.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	number := 0
	ctl := raw.Control(func(fd uintptr) {
		if err = unix.IoctlSetPointerInt(int(fd), unix.TIOCSPTLCK, 0); err == nil {
			number, err = unix.IoctlGetInt(int(fd), unix.TIOCGPTN)
		}
	})
	if err = errors.Join(ctl, err); err != nil {
		t.Fatal(err)
	}
	tty, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tty.Close() })
	return &Person{TTY: tty, screen: screen}
}

// Waits reads the screen until it ends in text.
func (p *Person) Waits(t testing.TB, text string) {
	t.Helper()
	if err := p.screen.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 1024)
	for !strings.HasSuffix(p.Seen, text) {
		n, err := p.screen.Read(buf)
		if err != nil {
			t.Fatalf("the screen shows %q, and not %q: %v", p.Seen, text, err)
		}
		p.Seen += string(buf[:n])
	}
}

// Types types a line.
func (p *Person) Types(t testing.TB, line string) {
	t.Helper()
	if _, err := p.screen.WriteString(line + "\n"); err != nil {
		t.Fatal(err)
	}
}

// Quiet waits until the terminal shows no more what is typed.
func (p *Person) Quiet(t testing.TB) {
	t.Helper()
	for end := time.Now().Add(patience); p.Echoes(t); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the terminal shows what is typed")
		}
	}
}

// Echoes reports whether the terminal shows what is typed.
func (p *Person) Echoes(t testing.TB) bool {
	t.Helper()
	state, err := unix.IoctlGetTermios(int(p.TTY.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	return state.Lflag&unix.ECHO != 0
}
