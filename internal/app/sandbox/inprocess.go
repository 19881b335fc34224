package sandbox

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/bridge"
	"github.com/culvert-net/culvert/internal/app/gateway"
	"github.com/culvert-net/culvert/internal/app/observer"
)

// InProcess is how a node runs as goroutines.
type InProcess struct {
	Gateway  *gateway.Options  // of a gateway
	Bridge   *bridge.Options   // of a bridge
	Observer *observer.Options // of an observer
}

// goroutines starts nodes in this process, from the same files that processes
// read.
type goroutines struct {
	watch func(name string, n *InProcess) // may be nil
}

var _ launcher = goroutines{}

func (g goroutines) launch(ctx context.Context, s *spec) (*child, error) {
	log, err := openLog(s.log)
	if err != nil {
		return nil, err
	}
	run, err := g.prepare(s, log)
	if err != nil {
		_ = log.Close()
		return nil, err
	}
	// It ends in its turn, not with ctx.
	own, cancel := context.WithCancel(context.WithoutCancel(ctx))
	c := &child{
		spec: s, pid: os.Getpid(), done: make(chan struct{}),
		ask:  func() error { cancel(); return nil },
		kill: cancel,
	}
	go func() { // every user of the child waits for done
		defer close(c.done)
		defer cancel()
		if c.err = run(own); c.err != nil {
			// As a process would say on its standard error.
			_, _ = fmt.Fprintf(log, "%s: %v\n", s.program, c.err)
		}
		_ = log.Close() // nothing was buffered
	}()
	return c, nil
}

// prepare reads a node's configuration.
func (g goroutines) prepare(s *spec, log io.Writer) (func(context.Context) error, error) {
	n := &InProcess{}
	logging := app.LogConfig{Level: s.logLevel, Format: "json"}
	switch s.program {
	case programBridge:
		cfg := bridge.Defaults()
		if _, err := app.Load(cfg, s.program, s.dir, nil); err != nil {
			return nil, err
		}
		cfg.Log = logging
		n.Bridge = &bridge.Options{Data: s.dir, Config: cfg, Err: log}
	case programObserver:
		cfg := observer.Defaults()
		if _, err := app.Load(cfg, s.program, s.dir, nil); err != nil {
			return nil, err
		}
		cfg.Log = logging
		n.Observer = &observer.Options{Data: s.dir, Config: cfg, Err: log}
	default:
		cfg := gateway.Defaults()
		if _, err := app.Load(cfg, s.program, s.dir, nil); err != nil {
			return nil, err
		}
		cfg.Log = logging
		n.Gateway = &gateway.Options{Data: s.dir, Config: cfg, Err: log}
	}
	if g.watch != nil {
		g.watch(s.name, n)
	}
	return func(ctx context.Context) error {
		switch {
		case n.Bridge != nil:
			return bridge.Serve(ctx, *n.Bridge)
		case n.Observer != nil:
			return observer.Serve(ctx, *n.Observer)
		}
		return gateway.Serve(ctx, *n.Gateway)
	}, nil
}
