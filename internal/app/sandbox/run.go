package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/culvert-net/culvert/api/backend/openai"
	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/gateway"
)

// sandbox is a running one. Its fields are owned by Run; watchers only read
// children and tell deaths.
type sandbox struct {
	o        *Options
	plan     *plan
	launch   launcher
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
	s := &sandbox{o: &o, progress: newProgress(o.Err), died: make(chan *child, o.Relays+o.Providers+1)}
	defer s.progress.close()
	s.launch = goroutines{watch: o.Watch}
	if !o.InProcess {
		if s.launch, err = newProcesses(o.Bin); err != nil {
			return err
		}
	}
	src := s.chooseBackend(ctx)
	if s.plan, err = makePlan(&o, dir, src); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	starting, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	ready, models, err := s.start(starting)
	switch {
	case ctx.Err() != nil:
		return nil
	case err != nil:
		return app.NotReady(err)
	}
	if o.ReadyFile != "" {
		if err := ready.write(o.ReadyFile); err != nil {
			return err
		}
	}
	if err := ready.instructions(o.Out, models, s.bridgeBinary(), filepath.Join(dir, "logs")); err != nil {
		return err
	}
	s.watch(ctx)
	return nil
}

// directory is where everything is kept, and what to do with it at the end.
func (o *Options) directory() (string, func() error, error) {
	if o.Dir != "" {
		dir, err := filepath.Abs(o.Dir)
		if err != nil {
			return "", nil, fmt.Errorf("--dir %s: %w", o.Dir, err)
		}
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return "", nil, fmt.Errorf("--dir: %w", err)
		}
		return dir, func() error { return nil }, nil
	}
	dir, err := os.MkdirTemp("", "culvert-")
	if err != nil {
		return "", nil, fmt.Errorf("making a temporary directory: %w; name one with --dir", err)
	}
	return dir, func() error { return os.RemoveAll(dir) }, nil
}

// chooseBackend is the server that was named, or found, or the demo model.
func (s *sandbox) chooseBackend(ctx context.Context) source {
	switch s.o.Backend {
	case "":
	case gateway.BackendMock:
		return source{kind: gateway.BackendMock}
	default:
		return source{kind: gateway.BackendOpenAI, url: s.o.Backend}
	}
	s.progress.begin("looking for a model server on this machine")
	if found := openai.Find(ctx); len(found) > 0 {
		f := found[0]
		s.progress.done("model server found: %s at %s, %d models", f.Kind, f.BaseURL, len(f.Models))
		return source{kind: gateway.BackendOpenAI, url: f.BaseURL}
	}
	s.progress.done("no model server found (Ollama, llama.cpp, vLLM, LM Studio): the demo model answers, with canned text that says so")
	return source{kind: gateway.BackendMock}
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
		return shell(p.path("bridge"))
	}
	return "bridge"
}
