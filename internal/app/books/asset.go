package books

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/onchain"
	"github.com/culvert-net/culvert/internal/kv"
	"github.com/culvert-net/culvert/ledger/chain"
)

// What a market is paid in cannot change, so it is read once and kept.

// assetBucket has version and JSON of a chain.Token by the contract's address and the
// hash of its code.
const assetBucket = "market-asset"

const assetVersion = 1

const (
	// assetWait bounds the question at a start: a chain that does not answer is asked
	// again while the program runs.
	assetWait = 5 * time.Second

	// assetPause is between two such questions.
	assetPause = 10 * time.Second

	// maxAsset bounds the record.
	maxAsset = 512
)

func (b *Books) assetKey() []byte {
	return append(b.Chain.Contract[:], b.Chain.CodeHash[:]...)
}

// paidIn learns what the market is paid in: what was read before, or what the contract
// says. Where it cannot be asked now, it is the chain's own currency until askToken
// knows better: without the chain nothing is paid either.
func (b *Books) paidIn(ctx context.Context, cfg Config) error {
	kept, err := b.keptToken(ctx)
	if err != nil {
		return err
	}
	if kept != nil {
		b.Chain.Asset, b.Chain.Named = kept.Address, *kept
		return nil
	}
	b.unsure = true
	if cfg.Settings.Via == onchain.ViaCircuit && cfg.Transport == nil {
		return nil // there are no circuits before the program runs
	}
	ctx, cancel := context.WithTimeout(ctx, assetWait)
	defer cancel()
	t, err := chain.ReadToken(ctx, b.Chain)
	if err != nil {
		return nil // whoever needs the chain is told so
	}
	if err := b.keepToken(context.WithoutCancel(ctx), t); err != nil {
		return err
	}
	b.Chain.Asset, b.Chain.Named, b.unsure = t.Address, t, false
	return nil
}

// askToken asks until it knows. If the market is paid in a token, the program has begun
// with the wrong books, and has to begin again.
func (b *Books) askToken(ctx context.Context) error {
	for b.unsure {
		t, err := chain.ReadToken(ctx, b.Chain)
		if err == nil {
			err = b.keepToken(ctx, t)
		}
		switch {
		case err == nil && t.Address.IsZero():
			b.unsure = false
			continue
		case err == nil:
			return app.NotReady(fmt.Errorf("the market is paid in the token %s, which could not be read when the program started; start it again", t.Address))
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(assetPause):
		}
	}
	<-ctx.Done()
	return ctx.Err()
}

func (b *Books) keptToken(ctx context.Context) (t *chain.Token, err error) {
	err = b.Store.View(ctx, func(tx kv.Tx) error {
		t = nil
		text, err := tx.Get(assetBucket, b.assetKey())
		if errors.Is(err, kv.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		t = new(chain.Token)
		if len(text) == 0 || len(text) > maxAsset || text[0] != assetVersion || json.Unmarshal(text[1:], t) != nil {
			return fmt.Errorf("what the market is paid in: %w", kv.ErrDamaged)
		}
		return nil
	})
	return t, err
}

func (b *Books) keepToken(ctx context.Context, t chain.Token) error {
	text, err := json.Marshal(t)
	if err != nil {
		return err
	}
	return b.Store.Do(ctx, func(tx kv.Tx) error { return tx.Put(assetBucket, b.assetKey(), append([]byte{assetVersion}, text...)) })
}
