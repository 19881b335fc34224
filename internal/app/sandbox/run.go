package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/culvert-net/culvert/internal/app"
)

// sandbox is a running one. Its fields are owned by Run; watchers only read
// children and tell deaths.
type sandbox struct {
	o        *Options
	plan     *plan
	launch   launcher
	chains   launcher // of the chain, which is a process always
	progress *progress
	children []*child // in the order of starting

	watchers sync.WaitGroup
	died     chan *child // one slot per node: it ended and was not told to
}

// Run makes a world, runs it until ctx ends, and stops it. Its error has the
// exit code that the sandbox's has: not ready in time, or a node that ended
// while starting, is 3.
func Run(ctx context.Context, o Options) (err error) {
	if err := o.check(); err != nil {
		return err
	}
	progress := newProgress(o.Err)
	defer progress.close()
	src, err := chooseBackend(ctx, o.Backend, progress)
	switch {
	case ctx.Err() != nil:
		return nil
	case err != nil:
		return err
	}
	if n := sweep(os.TempDir()); n > 0 {
		progress.say("removed what %s that ended badly had left in %s", app.Count(n, "sandbox run"), os.TempDir())
	}
	dir, cleanup, err := o.directory()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, cleanup()) }()
	if o.ReadyFile != "" {
		// An old one would say that we are ready.
		if err := os.Remove(o.ReadyFile); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("--ready-file: %w", err)
		}
	}
	s := &sandbox{o: &o, progress: progress, died: make(chan *child, 1+memories+o.Relays+o.Providers+1)}
	if err := s.launchers(); err != nil {
		return err
	}
	if s.plan, err = layPlan(&o, dir); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	starting, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	ready, models, err := s.start(starting, src)
	switch {
	case ctx.Err() != nil:
		return nil
	case err != nil:
		return err
	}
	if o.ReadyFile != "" {
		if err := ready.write(o.ReadyFile); err != nil {
			return err
		}
	}
	var order []string
	for _, c := range s.children {
		order = append(order, c.spec.name)
	}
	if err := ready.processes(o.Out, order); err != nil {
		return err
	}
	if err := ready.instructions(o.Out, models, s.bridgeBinary(), filepath.Join(dir, "logs")); err != nil {
		return err
	}
	s.watch(ctx)
	return nil
}

// launchers chooses how nodes run, and checks that what they take is there.
func (s *sandbox) launchers() error {
	need := []string{programBridge, programGateway, programObserver}
	if s.o.InProcess {
		need = nil
	}
	if s.o.Chain {
		need = append(need, programDevchain)
	}
	p, err := newProcesses(s.o.Bin, need)
	if err != nil {
		return err
	}
	s.chains, s.launch = p, p
	if s.o.InProcess {
		s.launch = goroutines{watch: s.o.Watch}
	}
	return nil
}

func (s *sandbox) ready(base string) *Ready {
	r := &Ready{
		BaseURL: base, StatusURL: s.plan.statusURL,
		PIDs: make(map[string]int), Logs: make(map[string]string), Dirs: make(map[string]string),
		Debug: make(map[string]string),
	}
	for _, c := range s.children {
		r.PIDs[c.spec.name], r.Logs[c.spec.name], r.Dirs[c.spec.name] = c.pid, c.spec.log, c.spec.dir
		if c.spec.debug != "" {
			r.Debug[c.spec.name] = "http://" + c.spec.debug
		}
	}
	return r
}

// bridgeBinary is how a person calls the bridge.
func (s *sandbox) bridgeBinary() string {
	if p, ok := s.launch.(processes); ok {
		return app.Shell(p.path("bridge"))
	}
	return "bridge"
}
