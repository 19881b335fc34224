package chain

import (
	"context"
	"errors"
	"fmt"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/culvert-net/culvert/ledger"
)

// rawLog is an event as a server writes it. Pointers tell what is missing from
// what is zero.
type rawLog struct {
	Address *common.Address `json:"address"`
	Topics  []common.Hash   `json:"topics"`
	Data    hexutil.Bytes   `json:"data"`
	Block   *hexutil.Uint64 `json:"blockNumber"`
	Hash    *common.Hash    `json:"blockHash"`
	Index   *hexutil.Uint64 `json:"logIndex"`
	Removed bool            `json:"removed"`
}

// logs are all events of the contract from one block to another, in their
// order. Nothing narrows them down: the server learns which contract it is, and
// no more.
func (s *server) logs(ctx context.Context, from, to uint64) ([]*types.Log, error) {
	var raw []rawLog
	err := s.call(ctx, &raw, "eth_getLogs", map[string]any{
		"address":   common.Address(s.cfg.Contract),
		"fromBlock": hexutil.EncodeUint64(from),
		"toBlock":   hexutil.EncodeUint64(to),
	})
	if err != nil {
		return nil, lookback(err)
	}
	if len(raw) > maxLogs {
		return nil, fmt.Errorf("%d events in a page: %w", len(raw), ErrTooLarge)
	}
	out := make([]*types.Log, len(raw))
	for i := range raw {
		if out[i], err = s.log(&raw[i], from, to); err != nil {
			return nil, err
		}
		if i > 0 {
			if err := inOrder(out[i-1], out[i]); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// log checks one event by itself.
func (s *server) log(l *rawLog, from, to uint64) (*types.Log, error) {
	switch {
	case l.Address == nil || l.Block == nil || l.Hash == nil || l.Index == nil:
		return nil, fmt.Errorf("an event without address, block or number: %w", ErrAnswer)
	case ledger.Address(*l.Address) != s.cfg.Contract:
		return nil, fmt.Errorf("an event of %s: %w", l.Address, ErrForeignLog)
	case l.Removed:
		return nil, fmt.Errorf("an event in block %d: %w", uint64(*l.Block), ErrRemovedLog)
	case uint64(*l.Block) < from || uint64(*l.Block) > to:
		return nil, fmt.Errorf("an event in block %d, outside of %d to %d: %w", uint64(*l.Block), from, to, ErrForeignLog)
	case len(l.Data) > maxLogData || len(l.Topics) > 4:
		return nil, fmt.Errorf("an event of %d bytes and %d topics: %w", len(l.Data), len(l.Topics), ErrTooLarge)
	case uint64(*l.Index) > maxGas:
		return nil, fmt.Errorf("event number %d of a block: %w", uint64(*l.Index), ErrTooLarge)
	}
	return &types.Log{
		Address: *l.Address, Topics: l.Topics, Data: l.Data,
		BlockNumber: uint64(*l.Block), BlockHash: *l.Hash, Index: uint(*l.Index),
	}, nil
}

// inOrder checks one event against the next: events of a block have one hash and
// rising numbers.
func inOrder(a, b *types.Log) error {
	switch {
	case b.BlockNumber < a.BlockNumber, b.BlockNumber == a.BlockNumber && b.Index <= a.Index:
		return fmt.Errorf("events out of order in block %d: %w", b.BlockNumber, ErrInconsistent)
	case (b.BlockNumber == a.BlockNumber) != (b.BlockHash == a.BlockHash):
		return fmt.Errorf("block %d has two hashes: %w", b.BlockNumber, ErrInconsistent)
	}
	return nil
}

// lookback names the refusal of servers that keep the log for a short time.
func lookback(err error) error {
	var refused *RefusedError
	if errors.As(err, &refused) && refused.says("lookback", "pruned", "missing trie node", "archive", "before the earliest") {
		return fmt.Errorf("%w: %w", ErrLookback, err)
	}
	return err
}

// tooWide reports whether a page may be refused for its size: there is no code
// for that, and as many texts as servers, so every refusal but a named one is
// taken for it, and a smaller page is tried.
func tooWide(err error) bool {
	var refused *RefusedError
	return errors.As(err, &refused) && !errors.Is(err, ErrLookback) || errors.Is(err, ErrTooLarge) || errors.Is(err, errSlow)
}
