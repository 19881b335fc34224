package devchain

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/eth"
	"github.com/ethereum/go-ethereum/eth/catalyst"
	gethnode "github.com/ethereum/go-ethereum/node"

	"github.com/culvert-net/culvert/internal/app/devchain/ready"
	"github.com/culvert-net/culvert/internal/serve"
)

// Options is what a chain is told.
type Options struct {
	// Data is the directory that keeps the chain, and that nobody else uses
	// meanwhile; "" keeps it in memory, until Close.
	Data string

	// Port of 127.0.0.1 for JSON-RPC; 0 is a free one.
	Port int

	// Period makes a block regularly, besides those of transactions; 0 makes none.
	Period time.Duration

	Log *slog.Logger // nil: none
}

// Chain is a running chain.
type Chain struct {
	log    *slog.Logger
	file   ready.File // immutable after Start
	stack  *gethnode.Node
	eth    *eth.Ethereum
	wake   chan struct{} // transactions are waiting
	stop   context.CancelFunc
	parts  sync.WaitGroup
	failed chan error // one slot: why the server ended by itself

	mu     sync.Mutex
	beacon *catalyst.SimulatedBeacon // guarded by mu: one block after the other

	closing sync.Once
	closed  error // set by closing
}

// Start opens the chain of o.Data or begins one, and serves it until Close, whatever
// becomes of ctx.
func Start(ctx context.Context, o Options) (_ *Chain, err error) {
	listener, err := serve.Listen("--port", net.JoinHostPort("127.0.0.1", strconv.Itoa(o.Port)))
	if err != nil {
		return nil, err
	}
	c := &Chain{log: o.Log, wake: make(chan struct{}, 1), failed: make(chan error, 1)}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	if c.stack, c.eth, c.beacon, err = openNode(o.Data, genesis()); err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	server, err := c.server(listener)
	if err != nil {
		return nil, errors.Join(err, listener.Close(), c.stack.Close())
	}
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	c.stop = stop
	c.parts.Go(func() { c.watch(running) })
	market, err := c.deploy(o.Data)
	if err != nil {
		return nil, errors.Join(err, listener.Close(), c.Close())
	}
	c.file = ready.File{
		RPC: "http://" + listener.Addr().String(), PID: os.Getpid(), ChainID: ChainID, Market: market, Accounts: Accounts(),
	}
	c.parts.Go(func() { c.mine(running, o.Period) })
	c.parts.Go(func() {
		if err := server.Run(running); err != nil {
			c.failed <- err
		}
	})
	return c, nil
}

// Ready is where the chain is and what is on it.
func (c *Chain) Ready() ready.File { return c.file }

// Failed says why the chain has stopped serving by itself.
func (c *Chain) Failed() <-chan error { return c.failed }

// Close stops serving, then the node. It may be called twice.
func (c *Chain) Close() error {
	c.closing.Do(func() {
		c.stop()
		c.parts.Wait()
		if err := c.stack.Close(); err != nil {
			c.closed = fmt.Errorf("stopping the node: %w", err)
		}
	})
	return c.closed
}

// Head is the newest block's number and time.
func (c *Chain) Head() (number uint64, at time.Time) {
	head := c.eth.BlockChain().CurrentBlock()
	return head.Number.Uint64(), time.Unix(int64(head.Time), 0).UTC()
}
