package process

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

const (
	// ReadyLine is how a participant says where it listens, on a line of its
	// standard output.
	ReadyLine = "listening "

	// startTime bounds a participant's start; it has only to listen.
	startTime = 20 * time.Second

	// stopTime is what a program gets to end in order: a sandbox ends its nodes
	// one after the other.
	stopTime = 30 * time.Second

	// tail is how much of what a program said is shown when it ends too early.
	tail = 4 << 10
)

// Process is a program that runs.
type Process struct {
	Name string
	PID  int

	cmd  *exec.Cmd
	in   io.Closer // the program ends when it is closed
	said said
	done chan struct{} // closed when it has ended
	err  error         // why; set before done is closed
}

// Start starts a program. It ends when its standard input does, so that nothing
// outlives us.
func Start(name, path string, args ...string) (*Process, error) {
	p := &Process{Name: name, cmd: exec.Command(path, args...), done: make(chan struct{})}
	in, err := p.cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	p.in = in
	p.said.line = make(chan string, 1)
	p.cmd.Stdout, p.cmd.Stderr = &p.said, &p.said
	ownGroup(p.cmd)
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w; build it with make build", name, err)
	}
	p.PID = p.cmd.Process.Pid
	go func() { // every user of the process waits for done
		defer close(p.done)
		p.err = p.cmd.Wait()
	}()
	return p, nil
}

// Address waits for the address a participant says it listens on.
func (p *Process) Address(ctx context.Context) (string, error) {
	late := time.NewTimer(startTime)
	defer late.Stop()
	select {
	case addr := <-p.said.line:
		return addr, nil
	case <-p.done:
		return "", p.Ended()
	case <-ctx.Done():
		return "", context.Cause(ctx)
	case <-late.C:
		return "", fmt.Errorf("%s: %w in %v", p.Name, errSilent, startTime)
	}
}

var errSilent = errors.New("it did not say where it listens")

// Until asks check again and again until it says nil, the program has ended,
// limit has passed, or ctx has ended: then the cause of that is the error.
func (p *Process) Until(ctx context.Context, limit time.Duration, check func() error) error {
	late := time.NewTimer(limit)
	defer late.Stop()
	for {
		err := check()
		if err == nil {
			return nil
		}
		select {
		case <-p.done:
			return p.Ended()
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-late.C:
			return fmt.Errorf("%s is not ready after %v: %w", p.Name, limit, err)
		case <-time.After(pollEvery):
		}
	}
}

// pollEvery is how often a program that starts is asked whether it is up.
const pollEvery = 50 * time.Millisecond

// Ended says how the program ended; nil while it runs.
func (p *Process) Ended() error {
	select {
	case <-p.done:
	default:
		return nil
	}
	return fmt.Errorf("%s ended: %w\n%s", p.Name, errors.Join(errEnded, p.err), p.said.text())
}

var errEnded = errors.New("it should not have")

// Stop ends the program, in order if it can.
func (p *Process) Stop() {
	// One that is gone already needs neither; one that is not told ends with its
	// standard input.
	defer p.in.Close()
	_ = terminate(p.cmd.Process)
	select {
	case <-p.done:
	case <-time.After(stopTime):
		_ = p.cmd.Process.Kill()
		<-p.done
	}
}

// said is the end of what a program said, and the address in it.
type said struct {
	line chan string // has room for one

	mu   sync.Mutex
	end  []byte // guarded by mu
	told bool   // guarded by mu
}

func (s *said) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.end = append(s.end, p...)
	if !s.told {
		lines := bufio.NewScanner(bytes.NewReader(s.end))
		for lines.Scan() {
			if addr, ok := strings.CutPrefix(lines.Text(), ReadyLine); ok && bytes.Contains(s.end, []byte(addr+"\n")) {
				s.told = true
				s.line <- addr
				break
			}
		}
	}
	if over := len(s.end) - tail; over > 0 {
		s.end = append(s.end[:0], s.end[over:]...)
	}
	return len(p), nil
}

func (s *said) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return string(s.end)
}

// FindIn is the program of this name in dir.
func FindIn(dir, name string) (string, error) {
	path := filepath.Join(dir, name)
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("program %s: %w; build it with make build, or name its directory with --bin", name, err)
	}
	return path, nil
}
