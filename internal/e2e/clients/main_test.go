//go:build clients

package clients

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// write has the matrix written to its file; without it a file that differs is a
// failure.
var write = flag.Bool("write", false, "write docs/clients.md anew")

var (
	programs string  // directory of the programs under test
	goSDKs   string  // directory of the clients in Go
	results  *matrix // what came out, for the end of the output
)

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	flag.Parse()
	dir, err := os.MkdirTemp("", "culvert-clients-")
	if err != nil {
		fmt.Fprintln(os.Stderr, "clients:", err)
		return 1
	}
	defer os.RemoveAll(dir)
	goSDKs = filepath.Join(dir, "gosdk")
	if err := build("gosdk", goSDKs, "./cmd/..."); err != nil {
		fmt.Fprintln(os.Stderr, "clients:", err)
		return 1
	}
	programs = os.Getenv("CULVERT_BIN")
	if programs == "" {
		programs = filepath.Join(dir, "bin")
		if err := build(".", programs, "../../../cmd/..."); err != nil {
			fmt.Fprintln(os.Stderr, "clients:", err)
			return 1
		}
	}
	code := m.Run()
	if results != nil {
		fmt.Println(results.summary())
	}
	return code
}

// build compiles the commands that pattern means in the module of dir.
func build(dir, to, pattern string) error {
	if err := os.MkdirAll(to, 0o700); err != nil {
		return err
	}
	cmd := exec.Command("go", "build", "-buildvcs=false", "-o", to, pattern)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("building %s: %w\n%s", pattern, err, out)
	}
	return nil
}
