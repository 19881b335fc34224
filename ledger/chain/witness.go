package chain

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ethereum/go-ethereum/core/types"
)

// What counts for money is said by two servers, where there are two. They are
// compared where it is cheap: the hash of the block that is believed, at each pass,
// and the events between two such blocks, which are few once the log was read.

// agreed compares a block that is to be believed.
func (r *Reader) agreed(ctx context.Context, b Block) error {
	if r.witness == nil {
		return nil
	}
	if err := r.witness.check(ctx); err != nil {
		return second(err)
	}
	other, err := r.witness.blockAt(ctx, b.Number)
	switch {
	case errors.Is(err, errNoBlock):
		return fmt.Errorf("block %d: the second has none: %w", b.Number, ErrDisagree)
	case err != nil:
		return second(err)
	case other.Hash != b.Hash:
		return fmt.Errorf("block %d is %s, and the second calls it %s: %w", b.Number, b.Hash, other.Hash, ErrDisagree)
	}
	return nil
}

// agreedLogs compares a page of events.
func (r *Reader) agreedLogs(ctx context.Context, from, to uint64, logs []*types.Log) error {
	if r.witness == nil {
		return nil
	}
	others, err := r.witness.logs(ctx, from, to)
	if err != nil {
		return second(err)
	}
	if !slices.EqualFunc(logs, others, sameLog) {
		return fmt.Errorf("%d events from block %d to %d, and the second has %d, or others: %w", len(logs), from, to, len(others), ErrDisagree)
	}
	return nil
}

func sameLog(a, b *types.Log) bool {
	return a.BlockNumber == b.BlockNumber && a.BlockHash == b.BlockHash && a.Index == b.Index &&
		slices.Equal(a.Topics, b.Topics) && bytes.Equal(a.Data, b.Data)
}

func second(err error) error { return fmt.Errorf("asked for comparison: %w", err) }

// Probe asks the server of cfg what a Reader asks first: whether it is of that
// chain, has that contract, and a newest block that is young.
func Probe(ctx context.Context, cfg Config) error {
	s, err := newServer(cfg)
	if err != nil {
		return err
	}
	defer s.client.Close()
	if err := s.check(ctx); err != nil {
		return err
	}
	head, err := s.latest(ctx)
	if err != nil {
		return err
	}
	return cfg.Network.young(head, time.Now())
}
