package chain

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"

	"github.com/culvert-net/culvert/internal/kv"
	"github.com/culvert-net/culvert/ledger"
)

// Follow looks once at each transaction that is not finished, in the order of
// their nonces, and does what it needs.
func (w *Writer) Follow(ctx context.Context) error {
	w.pass.Lock()
	defer w.pass.Unlock()
	defer func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		close(w.moved)
		w.moved = make(chan struct{})
	}()
	var open []*intent
	err := w.cfg.Store.View(ctx, func(tx kv.Tx) error {
		all, err := w.intents(tx)
		open = nil
		for _, n := range all {
			if n.outcome == Open {
				open = append(open, n)
			}
		}
		return err
	})
	if err != nil || len(open) == 0 {
		w.gaps = 0
		return err
	}
	if err := w.ready(ctx); err != nil {
		return err
	}
	at, err := w.place(ctx)
	if err != nil {
		return err
	}
	if err := w.fill(ctx, open[0], at); err != nil {
		return err
	}
	for _, n := range open {
		if err := w.one(ctx, n, at); err != nil {
			return fmt.Errorf("%s (number %d): %w", n.call.What, n.nonce, err)
		}
	}
	return nil
}

// place is where the chain and the wallet are.
type place struct {
	head Block
	deep Block  // the newest block that is believed
	used uint64 // nonces that are in blocks
	sure uint64 // those that are in deep ones
}

func (w *Writer) place(ctx context.Context) (place, error) {
	head, err := w.server.latest(ctx)
	if err != nil {
		return place{}, err
	}
	deep, err := w.server.blockBefore(ctx, head.Number-min(head.Number, w.cfg.Network.Confirmations))
	if err != nil {
		return place{}, err
	}
	used, err := w.nonces(ctx, "latest")
	if err != nil {
		return place{}, err
	}
	sure, err := w.nonces(ctx, hexutil.EncodeUint64(deep.Number))
	if err != nil {
		return place{}, err
	}
	return place{head, deep, used, sure}, nil
}

// one looks at one transaction.
func (w *Writer) one(ctx context.Context, n *intent, at place) error {
	p := Progress{ID: ID(n.nonce), What: n.call.What, Tries: len(n.tries), Wanted: w.cfg.Network.Confirmations + 1}
	for i := len(n.tries) - 1; i >= 0; i-- {
		tx, err := w.sign(n, n.tries[i])
		if err != nil {
			return err
		}
		if p.Hash.IsZero() {
			p.Hash = ledger.Hash(tx.Hash())
		}
		if n.nonce >= at.used {
			continue // in no block
		}
		r, err := w.server.receipt(ctx, tx.Hash())
		if err != nil {
			return err
		}
		if r == nil || r.block > at.head.Number {
			continue
		}
		p.Hash, p.Block, p.Depth = ledger.Hash(tx.Hash()), r.block, at.head.Number-r.block+1
		if r.block > at.deep.Number {
			w.report(p)
			return nil
		}
		return w.finish(ctx, n, i, r, p)
	}
	switch {
	case n.nonce < at.sure:
		// A deep block has this nonce, and it is none of these.
		p.Outcome = Lost
		if err := w.end(ctx, n, func(n *intent) { n.outcome = Lost }); err != nil {
			return err
		}
		w.cfg.log().Warn("another program used the wallet", "what", n.call.What, "nonce", n.nonce)
		w.report(p)
		return nil
	case n.nonce < at.used:
		w.report(p) // a block that may fork has it
		return nil
	default:
		return w.push(ctx, n, at, p)
	}
}

// finish stores what a deep block says.
func (w *Writer) finish(ctx context.Context, n *intent, try int, r *txReceipt, p Progress) error {
	b, err := w.server.blockAt(ctx, r.block)
	if errors.Is(err, errNoBlock) || err == nil && b.Hash != r.hash {
		return ErrMoved
	}
	if err != nil {
		return err
	}
	p.Outcome = Done
	if !r.ok {
		p.Outcome = Reverted
	}
	err = w.end(ctx, n, func(n *intent) {
		n.outcome, n.try, n.block, n.used, n.paid = p.Outcome, uint8(try), r.block, r.gas, r.paid
	})
	if err == nil {
		w.report(p)
	}
	return err
}

// end stores a change of an intent that is still open: another program may have
// come first.
func (w *Writer) end(ctx context.Context, n *intent, change func(*intent)) error {
	return w.cfg.Store.Do(ctx, func(tx kv.Tx) error {
		b, err := tx.Get(bucket, w.intentKey(n.nonce))
		if errors.Is(err, kv.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		stored, err := decodeIntent(n.nonce, b)
		if err != nil {
			return err
		}
		if stored.outcome != Open || len(stored.tries) != len(n.tries) {
			return nil
		}
		change(stored)
		if err := tx.Put(bucket, w.intentKey(n.nonce), encodeIntent(stored)); err != nil {
			return err
		}
		*n = *stored
		return nil
	})
}

// push brings a transaction on its way: again as it is if the server does not
// have it, with higher fees if it has waited.
func (w *Writer) push(ctx context.Context, n *intent, at place, p Progress) error {
	known, err := w.server.knows(ctx, common.Hash(p.Hash))
	if err != nil {
		return err
	}
	if !known {
		w.broadcast(ctx, n)
	}
	first := n.nonce == at.used // those behind it wait for it, whatever they pay
	waited := time.Since(time.Unix(int64(n.sent), 0))
	if !first || waited < max(replaceAfter*w.cfg.Network.BlockTime, leastReplace) {
		if known {
			w.report(p)
		}
		return nil
	}
	return w.replace(ctx, n, at, p)
}

// replace signs a transaction anew with higher fees, stores that, and sends it.
func (w *Writer) replace(ctx context.Context, n *intent, at place, p Progress) error {
	now, err := w.server.fees(ctx, at.head)
	if err != nil {
		return err
	}
	higher, err := n.newest().raised(now, w.cfg.Network.Bump)
	if err != nil {
		return err
	}
	most, err := times(n.gas, higher.most)
	if err != nil || w.limit(n.call).Less(most) || len(n.tries) > maxReplacements {
		p.Err = fmt.Errorf("it waits for a block, and may not cost more: %w", ErrFee)
		w.report(p)
		return nil
	}
	old := len(n.tries)
	err = w.end(ctx, n, func(n *intent) {
		n.tries = append(n.tries, higher)
		n.sent = uint64(time.Now().Unix())
	})
	if err != nil {
		return err
	}
	if len(n.tries) > old {
		w.cfg.log().Info("a transaction waits for a block; its fees are raised", "what", n.call.What, "nonce", n.nonce, "try", len(n.tries))
		w.broadcast(ctx, n)
	}
	return nil
}

// fill closes a gap before the first unfinished transaction: what had its nonce
// was sent by another program, and is gone. Nothing after it would ever be in a
// block. The nonce is used up by sending nothing to oneself.
func (w *Writer) fill(ctx context.Context, first *intent, at place) error {
	pending, err := w.nonces(ctx, "pending")
	if err != nil {
		return err
	}
	if first.nonce <= at.used || pending > at.used {
		w.gaps = 0
		return nil
	}
	if w.gaps++; w.gaps < gapPasses {
		return nil
	}
	w.gaps = 0
	c := Call{What: "fill a gap", To: w.key.Address()}
	cost, err := w.Cost(ctx, c)
	if err != nil {
		return err
	}
	n := &intent{nonce: at.used, call: c, gas: cost.Gas, tries: []fees{cost.fees}, sent: uint64(time.Now().Unix())}
	err = w.cfg.Store.Do(ctx, func(tx kv.Tx) error {
		if _, err := tx.Get(bucket, w.intentKey(n.nonce)); !errors.Is(err, kv.ErrNotFound) {
			return err // nil: there is one now
		}
		return tx.Put(bucket, w.intentKey(n.nonce), encodeIntent(n))
	})
	if err != nil {
		return err
	}
	w.cfg.log().Warn("a nonce of the wallet is missing, and is filled", "nonce", n.nonce)
	w.broadcast(ctx, n)
	return nil
}

// txReceipt is what a block says of a transaction.
type txReceipt struct {
	block uint64
	hash  ledger.Hash // of the block
	ok    bool
	gas   uint64
	paid  ledger.Amount
}

// receipt is nil if no block has the transaction.
func (s *server) receipt(ctx context.Context, tx common.Hash) (*txReceipt, error) {
	var r *struct {
		Tx     *common.Hash    `json:"transactionHash"`
		Block  *hexutil.Uint64 `json:"blockNumber"`
		Hash   *common.Hash    `json:"blockHash"`
		Status *hexutil.Uint64 `json:"status"`
		Gas    *hexutil.Uint64 `json:"gasUsed"`
		Price  *hexutil.Big    `json:"effectiveGasPrice"`
	}
	if err := s.call(ctx, &r, "eth_getTransactionReceipt", tx); err != nil || r == nil {
		return nil, err
	}
	if r.Tx == nil || r.Block == nil || r.Hash == nil || r.Status == nil || r.Gas == nil || r.Price == nil {
		return nil, fmt.Errorf("a receipt that lacks fields: %w", ErrAnswer)
	}
	if *r.Tx != tx || *r.Status > 1 || *r.Gas > maxGas {
		return nil, fmt.Errorf("the receipt of %s: %w", tx, ErrInconsistent)
	}
	price, err := ledger.AmountOfBig(r.Price.ToInt())
	if err != nil {
		return nil, fmt.Errorf("the receipt of %s: %w: %w", tx, err, ErrTooLarge)
	}
	paid, err := times(uint64(*r.Gas), price)
	if err != nil {
		return nil, fmt.Errorf("the receipt of %s: %w", tx, ErrTooLarge)
	}
	return &txReceipt{uint64(*r.Block), ledger.Hash(*r.Hash), *r.Status == 1, uint64(*r.Gas), paid}, nil
}

// knows reports whether the server has a transaction, in a block or in its pool.
func (s *server) knows(ctx context.Context, tx common.Hash) (bool, error) {
	var t *struct {
		Hash common.Hash `json:"hash"`
	}
	if err := s.call(ctx, &t, "eth_getTransactionByHash", tx); err != nil {
		return false, err
	}
	return t != nil && t.Hash == tx, nil
}
