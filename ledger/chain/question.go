package chain

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/culvert-net/culvert/ledger"
)

// Question is one question of JSON-RPC, without the number that tells it from
// others of the same client: that would say how many were asked before.
//
// docs/spec/chain.md §8.
type Question struct {
	Method string            `json:"method"`
	Params []json.RawMessage `json:"params"`
}

var (
	// ErrQuestion: this is no question at all.
	ErrQuestion = errors.New("this is no question of JSON-RPC")

	// ErrNotAsked: no Reader or Writer of this deployment asks that.
	ErrNotAsked = errors.New("this is not passed on; only what a client of the market's contract asks is")
)

// ParseQuestion reads a question.
func ParseQuestion(b []byte) (q Question, err error) {
	if len(b) > MaxQuestion {
		return q, fmt.Errorf("%d bytes, and at most %d are: %w", len(b), MaxQuestion, ErrQuestion)
	}
	if err := strictJSON(b, &q); err != nil || q.Method == "" || len(q.Params) > maxParams {
		return Question{}, ErrQuestion
	}
	return q, nil
}

// Passable is a question in the one form in which it is passed on for somebody
// else, and ErrNotAsked for one that no Reader or Writer of this deployment asks:
// another method, another contract, a part of the log by topic, state that is no
// wallet's.
func (c Config) Passable(q Question) (Question, error) {
	var out []any
	err := ErrNotAsked
	switch q.Method {
	case "eth_chainId", "eth_maxPriorityFeePerGas":
		err = q.into()
	case "eth_getBlockByNumber":
		var at blockName
		var whole bool // with the transactions
		if err = q.into(&at, &whole); err == nil && (whole || at == "pending") {
			err = ErrNotAsked
		}
		out = []any{at, false}
	case "eth_getLogs":
		var f logFilter
		if err = q.into(&f); err == nil {
			err = f.check(c)
		}
		out = []any{f}
	case "eth_getCode":
		var of common.Address
		var at blockName
		if err = q.into(&of, &at); err == nil && (ledger.Address(of) != c.Contract || at != "latest") {
			err = ErrNotAsked
		}
		out = []any{of, at}
	case "eth_getBalance", "eth_getTransactionCount":
		var of common.Address
		var at blockName
		err = q.into(&of, &at)
		out = []any{of, at}
	case "eth_estimateGas":
		var m callFields
		if err = q.into(&m); err == nil {
			err = m.check(c)
		}
		out = []any{m}
	case "eth_call":
		var m callFields
		var at blockName
		if err = q.into(&m, &at); err == nil {
			err = m.check(c)
		}
		out = []any{m, at}
	case "eth_sendRawTransaction":
		var raw hexutil.Bytes
		if err = q.into(&raw); err == nil {
			err = c.passableTx(raw)
		}
		out = []any{raw}
	case "eth_getTransactionReceipt", "eth_getTransactionByHash":
		var of common.Hash
		err = q.into(&of)
		out = []any{of}
	}
	if err != nil {
		return Question{}, ErrNotAsked // what was asked is not repeated: it may get into a log
	}
	q.Params = make([]json.RawMessage, len(out))
	for i := range out {
		if q.Params[i], err = json.Marshal(out[i]); err != nil {
			return Question{}, ErrNotAsked
		}
	}
	return q, nil
}

// into reads as many parameters as there are places, and there are no more.
func (q Question) into(places ...any) error {
	if len(q.Params) != len(places) {
		return ErrNotAsked
	}
	for i, p := range places {
		if bytes.Equal(bytes.TrimSpace(q.Params[i]), []byte("null")) {
			return ErrNotAsked
		}
		if err := strictJSON(q.Params[i], p); err != nil {
			return err
		}
	}
	return nil
}

// strictJSON reads one value with no field that is not known, and nothing after it.
func strictJSON(b []byte, out any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(out); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("more than one value")
	}
	return nil
}

// blockName is "latest", "pending", or a number.
type blockName string

func (n *blockName) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return err
	}
	if s != "latest" && s != "pending" {
		if _, err := hexutil.DecodeUint64(s); err != nil {
			return err
		}
	}
	*n = blockName(s)
	return nil
}

// logFilter is the only one that logs asks by.
type logFilter struct {
	Address *common.Address `json:"address"`
	From    *hexutil.Uint64 `json:"fromBlock"`
	To      *hexutil.Uint64 `json:"toBlock"`
}

func (f logFilter) check(c Config) error {
	switch {
	case f.Address == nil || f.From == nil || f.To == nil, ledger.Address(*f.Address) != c.Contract,
		*f.To < *f.From, uint64(*f.To-*f.From) >= maxPassedRange:
		return ErrNotAsked
	}
	return nil
}

// callFields are what message makes.
type callFields struct {
	From  *common.Address `json:"from"`
	To    *common.Address `json:"to"`
	Value *hexutil.Big    `json:"value"`
	Data  *hexutil.Bytes  `json:"data"`
}

func (m callFields) check(c Config) error {
	if m.From == nil || m.To == nil || m.Value == nil || m.Data == nil || len(*m.Data) > maxCallData {
		return ErrNotAsked
	}
	return c.passableCall(*m.From, *m.To, *m.Data)
}

// passableCall is one to the contract or its token, or the nothing to oneself
// that fills a gap of nonces.
func (c Config) passableCall(from, to common.Address, data []byte) error {
	switch a := ledger.Address(to); {
	case a == c.Contract, a == c.Asset && !a.IsZero(), to == from && len(data) == 0:
		return nil
	}
	return ErrNotAsked
}

// passableTx checks a signed transaction.
func (c Config) passableTx(raw []byte) error {
	var tx types.Transaction
	if len(raw) > maxCallData+maxTxRest || tx.UnmarshalBinary(raw) != nil {
		return ErrNotAsked
	}
	if tx.Type() != types.DynamicFeeTxType || tx.To() == nil || !tx.ChainId().IsUint64() || tx.ChainId().Uint64() != c.Network.ChainID {
		return ErrNotAsked
	}
	from, err := types.Sender(types.LatestSignerForChainID(tx.ChainId()), &tx)
	if err != nil {
		return ErrNotAsked
	}
	return c.passableCall(from, *tx.To(), tx.Data())
}
