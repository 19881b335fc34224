package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"

	"github.com/culvert-net/culvert/internal/app"
)

// processes starts nodes as processes. Each holds the reading end of a pipe as
// its standard input and ends when the pipe does, so that nothing outlives us
// even if we are killed.
type processes struct{ bin string }

var _ launcher = processes{}

// newProcesses checks that the programs are there that are needed.
func newProcesses(bin string, need []string) (processes, error) {
	if bin == "" {
		self, err := os.Executable()
		if err != nil {
			return processes{}, fmt.Errorf("finding this program's directory: %w; name it with --bin", err)
		}
		bin = filepath.Dir(self)
	}
	p := processes{bin: bin}
	for _, name := range need {
		if _, err := os.Stat(p.path(name)); errors.Is(err, fs.ErrNotExist) {
			without := "--in-process"
			if name == programDevchain {
				without = "--chain=false"
			}
			return processes{}, app.Usage(fmt.Errorf("no program %s in %s; build it (make build), name its directory with --bin, or use %s", name, bin, without))
		} else if err != nil {
			return processes{}, fmt.Errorf("program %s: %w", name, err)
		}
	}
	return p, nil
}

func (p processes) path(name string) string {
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	return filepath.Join(p.bin, name)
}

func (p processes) launch(_ context.Context, s *spec) (*child, error) {
	log, err := openLog(s.log)
	if err != nil {
		return nil, err
	}
	defer log.Close() // the process has its own
	args := []string{"serve", "--data", s.dir, "--exit-with-stdin", "--log-format", "json", "--log-level", s.logLevel}
	cmd := exec.Command(p.path(s.program), append(args, s.flags...)...)
	cmd.Stdout, cmd.Stderr = log, log
	ownGroup(cmd)
	pipe, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("starting %s: %w", s.name, err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", s.name, err)
	}
	c := &child{
		spec: s, pid: cmd.Process.Pid, done: make(chan struct{}),
		ask:  func() error { return terminate(cmd.Process) },
		kill: func() { _ = cmd.Process.Kill() }, // it is gone already, or will be
	}
	go func() { // every user of the child waits for done
		defer close(c.done)
		c.err = cmd.Wait()
		_ = pipe.Close()
	}()
	return c, nil
}

// openLog opens a node's log for appending.
func openLog(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening a log: %w", err)
	}
	return f, nil
}
