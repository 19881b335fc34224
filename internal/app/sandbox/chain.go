package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/culvert-net/culvert/internal/app/devchain/ready"
)

// chainName is the name of the chain among the nodes.
const chainName = "devchain"

// chains is the chain, if there is one.
func (p *plan) chains() []*spec {
	if p.chain == nil {
		return nil
	}
	return []*spec{p.chain}
}

// chainFile is where the chain says that it answers.
func (s *spec) chainFile() string { return filepath.Join(s.dir, "ready.json") }

// prepareChain chooses the chain's port, that of an earlier run if it is free. A
// chain that is there goes on. It is started before the others, so it may have its
// own port before they may have theirs.
func (p *plan) prepareChain(debug bool) error {
	var held ports
	defer func() {
		held.yield()
		p.held.held = append(p.held.held, held.held...)
	}()
	s := p.chain
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return fmt.Errorf("preparing the chain: %w", err)
	}
	port, err := held.take("127.0.0.1", lastChainPort(s.chainFile()))
	if err != nil {
		return err
	}
	// An old one would say that this one answers.
	if err := os.Remove(s.chainFile()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("preparing the chain: %w", err)
	}
	s.flags = []string{"--port", strconv.Itoa(port), "--ready-file", s.chainFile()}
	if debug {
		port, err := held.take("127.0.0.1", 0)
		if err != nil {
			return err
		}
		s.debug = "127.0.0.1:" + strconv.Itoa(port)
		s.flags = append(s.flags, "--debug", s.debug)
	}
	return nil
}

// lastChainPort is the port of an earlier run, 0 if there was none.
func lastChainPort(file string) int {
	f, err := ready.Read(file)
	if err != nil {
		return 0
	}
	u, err := url.Parse(f.RPC)
	if err != nil {
		return 0
	}
	port, err := strconv.Atoi(u.Port())
	if err != nil {
		return 0
	}
	return port
}

// startChain brings the chain up.
func (s *sandbox) startChain(ctx context.Context) (*ready.File, error) {
	c, err := s.chains.launch(ctx, s.plan.chain)
	if err != nil {
		return nil, err
	}
	s.add(c)
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		f, err := ready.Read(s.plan.chain.chainFile())
		if err == nil {
			return f, nil
		}
		select {
		case <-tick.C:
		case c := <-s.died:
			return nil, startingDied(c)
		case <-ctx.Done():
			return nil, fmt.Errorf("%s was not ready within %v: %w\n%s", chainName, startLimit, err, tail(s.plan.chain.log))
		}
	}
}
