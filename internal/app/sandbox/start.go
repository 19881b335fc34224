package sandbox

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/bridge"
	"github.com/culvert-net/culvert/internal/app/devchain/ready"
	"github.com/culvert-net/culvert/internal/app/gateway"
	"github.com/culvert-net/culvert/internal/app/observer"
	"github.com/culvert-net/culvert/internal/serve"
)

// start brings all nodes up, the chain first and relays before providers, and
// returns once a request will succeed. What could not be written has its own exit
// code; what did not come up is not ready.
func (s *sandbox) start(ctx context.Context, src source) (*Ready, []string, error) {
	chain, err := s.market(ctx)
	if err != nil {
		return nil, nil, app.NotReady(err)
	}
	if err := s.plan.write(ctx, s.o, src, chain); err != nil {
		return nil, nil, err
	}
	r, models, err := s.nodes(ctx, chain)
	if err != nil {
		return nil, nil, app.NotReady(err)
	}
	return r, models, nil
}

// market brings the chain up, if there is to be one.
func (s *sandbox) market(ctx context.Context) (*ready.File, error) {
	if s.plan.chain == nil {
		return nil, nil
	}
	s.progress.begin("starting the chain")
	chain, err := s.startChain(ctx)
	if err != nil {
		return nil, err
	}
	s.progress.done("chain up: %s, with the market in block %d", chainName, chain.Market.Block)
	return chain, nil
}

// nodes trades on the chain, if there is one, and brings up all that is beside it.
func (s *sandbox) nodes(ctx context.Context, chain *ready.File) (*Ready, []string, error) {
	if chain != nil {
		s.progress.begin("registering providers and buying from them")
		if err := s.plan.trade(ctx, chain, s.o.Deposit); err != nil {
			return nil, nil, err
		}
		s.progress.done("the bridge has bought %s from each provider", s.o.Deposit)
	}
	s.progress.begin("starting memory nodes")
	if err := s.up(ctx, s.plan.memories); err != nil {
		return nil, nil, err
	}
	s.progress.done("memory nodes up: %s", names(s.plan.memories))
	s.progress.begin("starting relays")
	if err := s.up(ctx, s.plan.relays); err != nil {
		return nil, nil, err
	}
	s.progress.done("relays up: %s", names(s.plan.relays))
	s.progress.begin("starting providers")
	if err := s.up(ctx, s.plan.providers); err != nil {
		return nil, nil, err
	}
	models, err := s.models(ctx)
	if err != nil {
		return nil, nil, err
	}
	s.progress.done("providers up: %s, serving %s", names(s.plan.providers), strings.Join(models, ", "))
	s.progress.begin("waiting until the directory is signed")
	signed, signers, err := s.signed(ctx)
	if err != nil {
		return nil, nil, err
	}
	s.progress.done("directory signed by %d of %d", signed, signers)
	s.progress.begin("building circuits")
	if err := s.up(ctx, []*spec{s.plan.bridge}); err != nil {
		return nil, nil, err
	}
	status, err := ask[bridge.Status](ctx, s.plan.bridge)
	if err != nil {
		return nil, nil, err
	}
	open := slices.DeleteFunc(status.Circuits, func(c bridge.Circuit) bool { return c.State != "open" })
	if len(open) == 0 {
		return nil, nil, errors.New("the bridge lost its circuit at once; its log says why")
	}
	s.progress.done("circuits ready, for example %s", strings.Join(append([]string{bridgeName}, open[0].Hops...), " > "))
	r := s.ready(status.BaseURLs[0])
	r.Chain = chain
	return r, models, nil
}

func names(all []*spec) string {
	var out []string
	for _, s := range all {
		out = append(out, s.name)
	}
	return strings.Join(out, ", ")
}

// up starts some nodes at once and waits until all say that they are ready.
func (s *sandbox) up(ctx context.Context, specs []*spec) error {
	for _, spec := range specs {
		c, err := s.launch.launch(ctx, spec)
		if err != nil {
			return err
		}
		s.add(c)
	}
	for _, spec := range specs {
		if err := s.await(ctx, spec); err != nil {
			return err
		}
	}
	return nil
}

// add keeps a child, to be watched and stopped.
func (s *sandbox) add(c *child) {
	s.children = append(s.children, c)
	s.watchers.Go(func() {
		<-c.done
		if !c.wanted() {
			s.died <- c
		}
	})
}

// startingDied is the error of a start in which a child died.
func startingDied(c *child) error {
	return fmt.Errorf("%s %w: %w\n%s", c.spec.name, errStarting, c.reason(), tail(c.spec.log))
}

// await polls a node until it is ready, fails when any node dies.
func (s *sandbox) await(ctx context.Context, spec *spec) error {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	waiting := []string{"it does not answer yet"}
	for {
		type readiness struct {
			Ready   bool     `json:"ready"`
			Waiting []string `json:"waiting"`
		}
		if r, err := ask[readiness](ctx, spec); err == nil {
			if r.Ready {
				return nil
			}
			waiting = r.Waiting
		}
		select {
		case <-tick.C:
		case c := <-s.died:
			return startingDied(c)
		case <-ctx.Done():
			return fmt.Errorf("%s was not ready within %v: %s\n%s", spec.name, startLimit, strings.Join(waiting, "; "), tail(spec.log))
		}
	}
}

// signed waits for a root of the directory, which the first one waits for all
// nodes with, and returns how many of its signers have signed it.
func (s *sandbox) signed(ctx context.Context) (signed, signers int, err error) {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		status, err := ask[observer.Status](ctx, s.plan.memories[0])
		if err == nil && status.Directory.Signed > 0 {
			return status.Directory.Signed, status.Directory.Signers, nil
		}
		select {
		case <-tick.C:
		case c := <-s.died:
			return 0, 0, startingDied(c)
		case <-ctx.Done():
			return 0, 0, fmt.Errorf("the directory was not signed within %v\n%s", startLimit, tail(s.plan.memories[0].log))
		}
	}
}

// ask gets a node's status.
func ask[T any](ctx context.Context, spec *spec) (T, error) {
	var v T
	err := serve.Ask(ctx, filepath.Join(spec.dir, serve.AdminSocket), "/status", &v)
	return v, err
}

// models are what the providers serve.
func (s *sandbox) models(ctx context.Context) ([]string, error) {
	var all []string
	for _, spec := range s.plan.providers {
		status, err := ask[gateway.Status](ctx, spec)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", spec.name, err)
		}
		all = append(all, status.Backend.Models...)
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}
