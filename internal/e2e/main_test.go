//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"
)

// programs is the directory of the programs under test.
var programs string

// standIn is what this program is if it is started as devchain; nil: nothing.
var standIn func(args []string) int

func TestMain(m *testing.M) {
	if standIn != nil && filepath.Base(os.Args[0]) == "devchain" {
		os.Exit(standIn(os.Args[1:]))
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	// Whoever ignores SIGHUP, as under nohup, has children that ignore it too;
	// who catches it has not. The programs are told to end by it.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP)
	programs = os.Getenv("CULVERT_BIN")
	if programs == "" {
		dir, err := os.MkdirTemp("", "culvert-bin-")
		if err != nil {
			fmt.Fprintln(os.Stderr, "e2e:", err)
			return 1
		}
		defer os.RemoveAll(dir)
		build := exec.Command("go", "build", "-buildvcs=false", "-o", dir, "../../cmd/...")
		if out, err := build.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "e2e: building the programs: %v\n%s", err, out)
			return 1
		}
		programs = dir
	}
	return m.Run()
}

// program is the path of one of them.
func program(name string) string { return filepath.Join(programs, name) }
