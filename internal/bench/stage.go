package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/culvert-net/culvert/internal/app/sandbox"
	"github.com/culvert-net/culvert/internal/bench/process"
)

// row is a way to the upstream.
type row string

const (
	rowUpstream row = "upstream"
	rowProxy    row = "proxy"
	rowLocal    row = "local"
	rowFloor    row = "floor"
	rowKey      row = "key"
	rowPaid     row = "paid"
	rowMemory   row = "paid-memory"
	rowNew      row = "new"
)

// rows is all of them, in the order of their turns.
var rows = []row{rowUpstream, rowProxy, rowLocal, rowFloor, rowKey, rowPaid, rowMemory, rowNew}

// title is a row as tables name it.
func (r row) title() string {
	return map[row]string{
		rowUpstream: "upstream alone",
		rowProxy:    "ReverseProxy",
		rowLocal:    "bridge, local mode",
		rowFloor:    "floor chain",
		rowKey:      "three hops, by key",
		rowPaid:     "three hops, by key, paid",
		rowMemory:   "three hops, by key, paid, ledgers in memory",
		rowNew:      "three hops, new circuit each",
	}[r]
}

// product reports whether programs of ours are measured.
func (r row) product() bool { return r == rowLocal || r == rowKey || r.paid() || r == rowNew }

// paid reports whether its answers are paid for.
func (r row) paid() bool { return r == rowPaid || r == rowMemory }

// program is one process of a subject, by its part in it.
type program struct {
	name  string
	pid   int
	debug string // URL of its debug server; "": it has none
}

// subject is a row that is running.
type subject struct {
	addr     string
	programs []program
}

// stage is everything that runs at once: one upstream and the ways to it.
type stage struct {
	upstream *process.Process
	subjects map[row]*subject
	started  []*process.Process
	made     []string // directories outside of the staging's
}

const (
	// readyTime bounds the start of a program of ours.
	readyTime = 90 * time.Second

	// settleTime passes after the start, so that what programs do when they start
	// is neither measured nor counted as idle memory.
	settleTime = 2 * time.Second

	// memoryDir is a file system in memory, on which a commit waits for nothing.
	memoryDir = "/dev/shm"
)

// staging is what a stage is made of.
type staging struct {
	self  string // this program
	bin   string // directory of the product's
	dir   string // for data
	llama bool
	debug bool // programs of ours can be profiled
	rows  []row
	say   func(format string, args ...any)
}

// open starts the stage. Whatever happens, close is to be called.
func (s *stage) open(ctx context.Context, c staging) error {
	s.subjects = make(map[row]*subject)
	if err := os.MkdirAll(c.dir, 0o700); err != nil {
		return fmt.Errorf("making a directory for the programs' data: %w", err)
	}
	args := []string{cmdUpstream}
	if c.llama {
		args = append(args, "--llama")
	}
	up, to, err := s.reference(ctx, c, "upstream", args...)
	if err != nil {
		return err
	}
	s.upstream = up
	s.subjects[rowUpstream] = &subject{addr: to}
	for _, r := range c.rows {
		c.say("starting: %s", r.title())
		if err := s.add(ctx, c, r, to); err != nil {
			return err
		}
	}
	select {
	case <-time.After(settleTime):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (s *stage) add(ctx context.Context, c staging, r row, to string) error {
	switch r {
	case rowProxy:
		p, addr, err := s.reference(ctx, c, "proxy", cmdProxy, "--to", to)
		if err != nil {
			return err
		}
		s.subjects[r] = &subject{addr: addr, programs: []program{{name: "proxy", pid: p.PID}}}
	case rowFloor:
		return s.floor(ctx, c, to)
	case rowLocal:
		return s.local(ctx, c, to)
	case rowKey, rowPaid, rowMemory:
		return s.world(ctx, c, r, "key", to)
	case rowNew:
		return s.world(ctx, c, r, "conversation", to)
	}
	return nil
}

// reference starts this program as a participant.
func (s *stage) reference(ctx context.Context, c staging, name string, args ...string) (*process.Process, string, error) {
	p, err := s.start(name, c.self, args...)
	if err != nil {
		return nil, "", err
	}
	addr, err := p.Address(ctx)
	return p, addr, err
}

func (s *stage) start(name, path string, args ...string) (*process.Process, error) {
	p, err := process.Start(name, path, args...)
	if err == nil {
		s.started = append(s.started, p)
	}
	return p, err
}

// floor starts the chain from its end.
func (s *stage) floor(ctx context.Context, c staging, to string) error {
	f := &subject{addr: to}
	for _, part := range []struct{ name, cmd string }{
		{"gateway", cmdProxy}, {"middle", cmdRelay}, {"entry", cmdRelay}, {"front", cmdProxy},
	} {
		p, addr, err := s.reference(ctx, c, "floor "+part.name, part.cmd, "--to", f.addr)
		if err != nil {
			return err
		}
		f.addr = addr
		f.programs = append(f.programs, program{name: part.name, pid: p.PID})
	}
	slices.Reverse(f.programs)
	s.subjects[rowFloor] = f
	return nil
}

// local starts a bridge without a world.
func (s *stage) local(ctx context.Context, c staging, to string) error {
	path, err := process.FindIn(c.bin, "bridge")
	if err != nil {
		return err
	}
	addr, err := freeAddress()
	if err != nil {
		return err
	}
	args := []string{
		"serve", "--data", filepath.Join(c.dir, "local"), "--upstream", "http://" + to,
		"--listen", addr, "--status-listen", "", "--exit-with-stdin", "--log-level", "warn",
	}
	debug := ""
	if c.debug {
		if debug, err = freeAddress(); err != nil {
			return err
		}
		args = append(args, "--debug", debug)
		debug = "http://" + debug
	}
	p, err := s.start("bridge", path, args...)
	if err != nil {
		return err
	}
	s.subjects[rowLocal] = &subject{addr: addr, programs: []program{{name: "bridge", pid: p.PID, debug: debug}}}
	return p.Until(ctx, readyTime, func() error { return answers(ctx, addr) })
}

// freeAddress is an address that nobody listens on.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("finding a free port: %w", err)
	}
	return l.Addr().String(), l.Close()
}

// answers asks a program for its models.
func answers(ctx context.Context, addr string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/v1/models", nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%w: %s", errNotYet, resp.Status)
	}
	return nil
}

var errNotYet = errors.New("it does not answer yet")

// world starts a sandbox.
func (s *stage) world(ctx context.Context, c staging, r row, isolation, to string) error {
	dir := filepath.Join(c.dir, string(r))
	ready := dir + ".json"
	if r == rowMemory {
		var err error
		if dir, err = os.MkdirTemp(memoryDir, "culvert-bench-"); err != nil {
			return fmt.Errorf("row %s takes a file system in memory (leave it out with --rows): %w", r, err)
		}
		s.made = append(s.made, dir)
	}
	args := []string{
		cmdWorld, "--backend", "http://" + to, "--isolation", isolation,
		"--dir", dir, "--bin", c.bin, "--ready-file", ready,
	}
	if c.debug {
		args = append(args, "--debug")
	}
	if r.paid() {
		args = append(args, "--chain")
	}
	p, err := s.start("sandbox "+isolation, c.self, args...)
	if err != nil {
		return err
	}
	var told sandbox.Ready
	err = p.Until(ctx, readyTime, func() error {
		text, err := os.ReadFile(ready)
		if err != nil {
			return err
		}
		return json.Unmarshal(text, &told)
	})
	if err != nil {
		return err
	}
	w := &subject{addr: strings.TrimSuffix(strings.TrimPrefix(told.BaseURL, "http://"), "/v1")}
	for name, pid := range told.PIDs {
		if told.Chain != nil && pid == told.Chain.PID {
			continue // no request passes through it
		}
		w.programs = append(w.programs, program{name: name, pid: pid, debug: told.Debug[name]})
	}
	slices.SortFunc(w.programs, func(a, b program) int { return strings.Compare(a.name, b.name) })
	s.subjects[r] = w
	return nil
}

// alive is an error if a process is gone.
func (s *stage) alive() error {
	for _, p := range s.started {
		if err := p.Ended(); err != nil {
			return err
		}
	}
	return nil
}

// close ends everything.
func (s *stage) close() {
	for _, p := range slices.Backward(s.started) {
		p.Stop()
	}
	for _, dir := range s.made {
		_ = os.RemoveAll(dir)
	}
}
