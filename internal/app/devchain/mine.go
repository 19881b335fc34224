package devchain

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ethereum/go-ethereum/consensus/misc/eip1559"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/txpool"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/holiman/uint256"
)

// errNoBlock says that the node has made no block where it had to; its log says why.
var errNoBlock = errors.New("no block was made; the log says why")

// watch notes when transactions come. The pool waits until it was told, and whoever
// makes a block waits for the pool: so who is told does nothing else.
func (c *Chain) watch(ctx context.Context) {
	arrived := make(chan core.NewTxsEvent, queue)
	sub := c.eth.TxPool().SubscribeTransactions(arrived, true)
	defer sub.Unsubscribe()
	for {
		select {
		case <-ctx.Done():
			return
		case <-arrived:
			select {
			case c.wake <- struct{}{}:
			default: // who mines will look at all that wait
			}
		}
	}
}

// mine makes blocks of what waits, and every period one of nothing, until ctx ends.
func (c *Chain) mine(ctx context.Context, period time.Duration) {
	var regular <-chan time.Time
	if period > 0 {
		tick := time.NewTicker(period)
		defer tick.Stop()
		regular = tick.C
	}
	for {
		var err error
		select {
		case <-ctx.Done():
			return
		case <-c.wake:
			err = c.mineWaiting()
		case <-regular:
			err = c.Mine(1)
		}
		if err != nil {
			c.log.Error("a block was not made", "err", err)
		}
	}
}

// mineWaiting makes blocks until no transaction waits that can be in the next one. One
// whose fee is too low waits for later blocks, whose price falls.
func (c *Chain) mineWaiting() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		// Else those of the last block would still seem to wait.
		if err := c.eth.TxPool().Sync(); err != nil {
			return fmt.Errorf("looking for transactions: %w", err)
		}
		if c.ready() == 0 {
			return nil
		}
		if err := c.seal(); err != nil {
			return err
		}
		if c.eth.BlockChain().CurrentBlock().GasUsed == 0 {
			return nil
		}
	}
}

// ready is how many transactions pay what the next block will ask for.
func (c *Chain) ready() int {
	next := eip1559.CalcBaseFee(c.eth.BlockChain().Config(), c.eth.BlockChain().CurrentBlock())
	_, n := c.eth.TxPool().Pending(txpool.PendingFilter{MinTip: new(uint256.Int), BaseFee: uint256.MustFromBig(next)})
	return n
}

// Mine makes n blocks, in which is what waits.
func (c *Chain) Mine(n int) error {
	if n < 1 || n > maxMine {
		return fmt.Errorf("%d blocks: at least one, and at most %d at a time", n, maxMine)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for range n {
		if err := c.seal(); err != nil {
			return err
		}
	}
	return nil
}

// seal makes one block. Its time is the machine's, or a second after the last block's
// if that is later. mu is held.
func (c *Chain) seal() error {
	before := c.eth.BlockChain().CurrentBlock().Hash()
	if c.beacon.Commit() == before {
		return errNoBlock
	}
	return c.store()
}

// Advance moves the chain's clock by d, of which whole seconds count, with an empty
// block. It stays ahead of the machine's: later blocks come a second after one
// another until the machine's clock has caught up.
func (c *Chain) Advance(d time.Duration) error { return c.advance(int64(d / time.Second)) }

func (c *Chain) advance(seconds int64) error {
	if seconds < 1 || seconds > int64(maxAdvance/time.Second) {
		return fmt.Errorf("%d seconds: the clock goes forward by one at least, and by %d at most", seconds, maxAdvance/time.Second)
	}
	d := time.Duration(seconds) * time.Second
	c.mu.Lock()
	defer c.mu.Unlock()
	head := time.Unix(int64(c.eth.BlockChain().CurrentBlock().Time), 0)
	if idle := time.Since(head); idle > 0 {
		d += idle.Truncate(time.Second)
	}
	if err := c.beacon.AdjustTime(d); err != nil {
		return fmt.Errorf("moving the clock: %w; it moves with an empty block, so transactions that wait go first", err)
	}
	return c.store()
}

// Rewind takes the newest n blocks back, as a reorganization does: other blocks will
// have their numbers. Their transactions are mined again, unless drop is set: then
// they have never been.
func (c *Chain) Rewind(n int, drop bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	head := c.eth.BlockChain().CurrentBlock().Number.Uint64()
	if n < 1 || n > maxRewind {
		return fmt.Errorf("%d blocks: at least one is taken back, and at most %d at a time", n, maxRewind)
	}
	if head < marketBlock+uint64(n) {
		return fmt.Errorf("%d blocks: the market is in block %d, the newest is %d, and the market stays", n, marketBlock, head)
	}
	to := c.eth.BlockChain().GetHeaderByNumber(head - uint64(n))
	if to == nil {
		return fmt.Errorf("block %d is missing", head-uint64(n))
	}
	if err := c.beacon.Fork(to.Hash()); err != nil {
		return fmt.Errorf("taking blocks back: %w; transactions that wait go first", err)
	}
	// It reads the blocks that were taken back.
	if err := c.eth.TxPool().Sync(); err != nil {
		return fmt.Errorf("taking transactions back: %w", err)
	}
	if drop {
		c.beacon.Rollback()
	}
	if err := c.thaw(to); err != nil {
		return err
	}
	return c.store()
}

// thaw takes back that blocks after the newest were final: the node calls every 32nd
// block so as soon as it is made, and moves final ones to files of their own, where
// they stay what is found by their numbers, whatever is made in their place.
func (c *Chain) thaw(newest *types.Header) error {
	if final := c.eth.BlockChain().CurrentFinalBlock(); final != nil && final.Number.Cmp(newest.Number) > 0 {
		c.eth.BlockChain().SetFinalized(nil) // the next block says which are
	}
	// It waits for a move under way, and does nothing where none of them was moved.
	if _, err := c.eth.ChainDb().TruncateHead(newest.Number.Uint64() + 1); err != nil {
		return fmt.Errorf("taking final blocks back: %w", err)
	}
	return nil
}

// store waits until what was done is on the disk, so that only the block under way is
// lost when the process is killed. mu is held.
func (c *Chain) store() error {
	if err := c.eth.ChainDb().SyncKeyValue(); err != nil {
		return fmt.Errorf("writing the chain: %w", err)
	}
	return nil
}
