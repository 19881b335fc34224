package chain

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/culvert-net/culvert/internal/kv"
	"github.com/culvert-net/culvert/ledger"
)

// Writer sends the transactions of one wallet. Nonces are given out by the store,
// so that several programs which share one may share a wallet.
//
// docs/spec/chain.md §4.
type Writer struct {
	cfg    Config
	server *server
	key    *ledger.Key

	pass sync.Mutex // held by whoever follows transactions; guards gaps
	gaps int        // passes in a row in which the first nonce was missing

	mu       sync.Mutex // guards what follows
	progress map[uint64]Progress
	moved    chan struct{} // closed, and made anew, after each pass
}

// ID names a transaction of a wallet: its nonce.
type ID uint64

// Progress is how far a transaction is.
type Progress struct {
	ID      ID
	What    string
	Hash    ledger.Hash // of the newest version
	Tries   int         // versions so far
	Outcome Outcome
	Block   uint64 // it is in; 0: none yet
	Depth   uint64 // blocks from there on, of Wanted
	Wanted  uint64
	Err     error // why it is not further; the next try may be
}

// Receipt is what became of a transaction.
type Receipt struct {
	ID    ID
	What  string
	Hash  ledger.Hash
	Block uint64
	Gas   uint64
	Fee   ledger.Amount
}

var (
	// ErrInFlight: there are as many unfinished transactions as servers take.
	ErrInFlight = errors.New("too many transactions of this wallet wait for a block; wait for those first")

	// ErrLost: another transaction of the wallet took the nonce.
	ErrLost = errors.New("another program sent a transaction with this wallet in its place, so it will never happen; look at the state, and do it again if it is still wanted")

	// ErrUnknown: no transaction of that name is kept.
	ErrUnknown = errors.New("no transaction of this number is known here")

	// ErrNoStore: a writer cannot forget.
	ErrNoStore = errors.New("a writer needs a store: what is sent must be on the disk before")
)

// NewWriter makes a writer of one wallet. It asks nobody anything yet.
func NewWriter(cfg Config, key *ledger.Key) (*Writer, error) {
	if cfg.Store == nil {
		return nil, ErrNoStore
	}
	if err := checkKey(key.Address(), cfg.Network); err != nil {
		return nil, err
	}
	s, err := newServer(cfg)
	if err != nil {
		return nil, err
	}
	return &Writer{cfg: cfg, server: s, key: key, progress: make(map[uint64]Progress), moved: make(chan struct{})}, nil
}

// Address is the wallet's.
func (w *Writer) Address() ledger.Address { return w.key.Address() }

// ready checks chain and contract before the first transaction.
func (w *Writer) ready(ctx context.Context) error { return w.server.check(ctx) }

// Send makes a transaction durable, and sends it. Once it has returned an ID, the
// call will happen, also after a crash: Run and Wait go on sending it.
func (w *Writer) Send(ctx context.Context, c Call) (ID, error) { return w.send(ctx, c, false) }

// SendOnce is Send for whoever may have asked before and does not know: of all
// transactions that are kept, one at most has the name of c. If there is one
// already, however it ended, nothing is sent, and that is the one returned.
func (w *Writer) SendOnce(ctx context.Context, c Call) (ID, error) {
	before, err := w.named(ctx, c.What)
	if err != nil {
		return 0, err
	}
	if before != nil {
		return ID(before.nonce), nil
	}
	return w.send(ctx, c, true)
}

func (w *Writer) send(ctx context.Context, c Call, once bool) (ID, error) {
	cost, err := w.Cost(ctx, c)
	if err != nil {
		return 0, err
	}
	if err := w.covered(ctx, cost); err != nil {
		return 0, err
	}
	next, err := w.nonces(ctx, "pending")
	if err != nil {
		return 0, err
	}
	n := &intent{call: c, gas: cost.Gas, tries: []fees{cost.fees}, sent: uint64(time.Now().Unix())}
	first, err := w.intend(ctx, n, next, once)
	if err != nil || first != n {
		return ID(first.nonce), err
	}
	w.broadcast(ctx, n)
	return ID(n.nonce), nil
}

// nonces is how many transactions of the wallet a block, or the pool, has.
func (w *Writer) nonces(ctx context.Context, at string) (uint64, error) {
	var n hexutil.Uint64
	if err := w.server.call(ctx, &n, "eth_getTransactionCount", common.Address(w.key.Address()), at); err != nil {
		return 0, err
	}
	if n > maxNonce {
		return 0, fmt.Errorf("nonce %d: %w", uint64(n), ErrTooLarge)
	}
	return uint64(n), nil
}

// maxNonce is 2^40: a server that names more would leave the wallet without
// nonces.
const maxNonce = 1 << 40

// Kinds of records of a wallet; they stand after chain id and address.
const (
	kindNext   = 'n'
	kindIntent = 't'
)

func (w *Writer) walletKey(kind byte) []byte {
	b := binary.BigEndian.AppendUint64(nil, w.cfg.Network.ChainID)
	a := w.key.Address()
	return append(append(b, a[:]...), kind)
}

func (w *Writer) intentKey(nonce uint64) []byte {
	return binary.BigEndian.AppendUint64(w.walletKey(kindIntent), nonce)
}

// intend gives n the next nonce, which is at least the one given, and stores both.
// If it is to be there once, and another has its name, that one is returned.
func (w *Writer) intend(ctx context.Context, n *intent, least uint64, once bool) (first *intent, _ error) {
	if len(n.call.What) > maxWhat {
		return n, fmt.Errorf("the name of a call has at most %d bytes", maxWhat)
	}
	err := w.cfg.Store.Do(ctx, func(tx kv.Tx) error {
		first = n
		next, err := w.next(tx)
		if err != nil {
			return err
		}
		open, err := w.intents(tx)
		if err != nil {
			return err
		}
		waiting := 0
		for _, o := range open {
			if once && o.call.What == n.call.What {
				first = o
				return nil
			}
			if o.outcome == Open {
				waiting++
			}
		}
		if waiting >= maxInFlight {
			return ErrInFlight
		}
		n.nonce = max(next, least)
		if err := w.forget(tx, open); err != nil {
			return err
		}
		if err := tx.Put(bucket, w.walletKey(kindNext), binary.BigEndian.AppendUint64(nil, n.nonce+1)); err != nil {
			return err
		}
		return tx.Put(bucket, w.intentKey(n.nonce), encodeIntent(n))
	})
	if err == nil || errors.Is(err, ErrInFlight) {
		return first, err
	}
	// A store that failed may have stored it all the same, and then it will be sent:
	// whoever is told of a failure would do it a second time.
	stored, unread := w.intent(context.WithoutCancel(ctx), ID(n.nonce))
	switch {
	case unread == nil && bytes.Equal(encodeIntent(stored), encodeIntent(n)):
		return n, nil
	case unread == nil || errors.Is(unread, ErrUnknown):
		return n, fmt.Errorf("store %s before it is sent: %w", n.call.What, err)
	default:
		return n, fmt.Errorf("store %s before it is sent; whether it was, and will be sent, shows when the store is back: %w", n.call.What, err)
	}
}

// next is the first nonce that was not given out.
func (w *Writer) next(tx kv.Tx) (uint64, error) {
	b, err := tx.Get(bucket, w.walletKey(kindNext))
	if errors.Is(err, kv.ErrNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	if len(b) != 8 {
		return 0, fmt.Errorf("the next nonce has %d bytes: %w", len(b), kv.ErrDamaged)
	}
	return binary.BigEndian.Uint64(b), nil
}

// intents are all that are kept, in the order of their nonces.
func (w *Writer) intents(tx kv.Tx) ([]*intent, error) {
	var out []*intent
	prefix := w.walletKey(kindIntent)
	err := tx.Scan(bucket, prefix, func(key, value []byte) error {
		if len(key) != len(prefix)+8 {
			return fmt.Errorf("a transaction without a nonce: %w", kv.ErrDamaged)
		}
		n, err := decodeIntent(binary.BigEndian.Uint64(key[len(prefix):]), value)
		if err != nil {
			return err
		}
		out = append(out, n)
		return nil
	})
	return out, err
}

// forget deletes the oldest finished ones.
func (w *Writer) forget(tx kv.Tx, all []*intent) error {
	for i := 0; i+maxFinished < len(all); i++ {
		if all[i].outcome == Open {
			continue
		}
		if err := tx.Delete(bucket, w.intentKey(all[i].nonce)); err != nil {
			return err
		}
	}
	return nil
}

// sign is a version of a transaction: always the same bytes.
func (w *Writer) sign(n *intent, f fees) (*types.Transaction, error) {
	chain := new(big.Int).SetUint64(w.cfg.Network.ChainID)
	to := common.Address(n.call.To)
	return types.SignNewTx(w.key.ECDSA(), types.LatestSignerForChainID(chain), &types.DynamicFeeTx{
		ChainID: chain, Nonce: n.nonce, GasTipCap: f.tip.Big(), GasFeeCap: f.most.Big(),
		Gas: n.gas, To: &to, Value: n.call.Value.Big(), Data: n.call.Data,
	})
}

// broadcast sends the newest version. Whether the server takes it decides
// nothing: what is stored is sent until it is in a block.
func (w *Writer) broadcast(ctx context.Context, n *intent) {
	p := Progress{ID: ID(n.nonce), What: n.call.What, Tries: len(n.tries), Wanted: w.cfg.Network.Confirmations + 1}
	tx, err := w.sign(n, n.newest())
	if err == nil {
		p.Hash = ledger.Hash(tx.Hash())
		err = w.submit(ctx, tx)
	}
	p.Err = err
	w.report(p)
}

func (w *Writer) submit(ctx context.Context, tx *types.Transaction) error {
	raw, err := tx.MarshalBinary()
	if err != nil {
		return err
	}
	var hash common.Hash
	err = w.server.call(ctx, &hash, "eth_sendRawTransaction", hexutil.Bytes(raw))
	var refused *RefusedError
	if errors.As(err, &refused) && refused.says("already known", "already in mpool", "already exists", "nonce too low") {
		return nil // sent before; a receipt will tell
	}
	if err == nil && hash != tx.Hash() {
		return fmt.Errorf("transaction %s is called %s: %w", tx.Hash(), hash, ErrInconsistent)
	}
	return err
}

func (w *Writer) report(p Progress) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.progress[uint64(p.ID)] = p
}

// Progress is how far a transaction was when it was last looked at.
func (w *Writer) Progress(id ID) (Progress, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	p, ok := w.progress[uint64(id)]
	return p, ok
}

// Run follows transactions until the context ends: it sends what was not, raises
// fees, fills gaps, and finds what became of each. It begins with those of the
// last run.
func (w *Writer) Run(ctx context.Context) error {
	for {
		if err := w.Follow(ctx); err != nil && ctx.Err() == nil {
			w.cfg.log().Warn("transactions cannot be followed", "err", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(w.cfg.Network.pollTime()):
		}
	}
}

// Wait follows a transaction until it is in a block that is deep enough, also one
// of an earlier run. Each change is told to the function, if there is one. What
// the contract refused is a *RevertError, with the receipt; what never will happen
// is ErrLost.
func (w *Writer) Wait(ctx context.Context, id ID, tell func(Progress)) (Receipt, error) {
	var last Progress
	for {
		followed := w.Follow(ctx)
		n, err := w.intent(ctx, id)
		if err != nil {
			return Receipt{}, err
		}
		if n.outcome != Open {
			return w.receipt(ctx, n)
		}
		p, ok := w.Progress(id)
		if !ok {
			p = Progress{ID: id, What: n.call.What, Tries: len(n.tries), Wanted: w.cfg.Network.Confirmations + 1}
		}
		if followed != nil {
			p.Err = followed
		}
		if tell != nil && !p.same(last) {
			tell(p)
			last = p
		}
		select {
		case <-ctx.Done():
			return Receipt{}, ctx.Err()
		case <-w.after():
		case <-time.After(w.cfg.Network.pollTime()):
		}
	}
}

// same compares what people see.
func (p Progress) same(q Progress) bool {
	pe, qe := p.Err, q.Err
	p.Err, q.Err = nil, nil
	return p == q && (pe == nil) == (qe == nil) && (pe == nil || pe.Error() == qe.Error())
}

// after is closed after the next pass of somebody.
func (w *Writer) after() <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.moved
}

// intent is one that is kept.
func (w *Writer) intent(ctx context.Context, id ID) (*intent, error) {
	var n *intent
	err := w.cfg.Store.View(ctx, func(tx kv.Tx) error {
		b, err := tx.Get(bucket, w.intentKey(uint64(id)))
		if errors.Is(err, kv.ErrNotFound) {
			return fmt.Errorf("number %d: %w", id, ErrUnknown)
		}
		if err != nil {
			return err
		}
		n, err = decodeIntent(uint64(id), b)
		return err
	})
	return n, err
}

// named is the newest transaction with a name that is kept; nil if there is none.
func (w *Writer) named(ctx context.Context, what string) (found *intent, err error) {
	err = w.cfg.Store.View(ctx, func(tx kv.Tx) error {
		found = nil
		all, err := w.intents(tx)
		for _, n := range all {
			if n.call.What == what {
				found = n
			}
		}
		return err
	})
	return found, err
}

// Find is the transaction of a name, the newest if there are several. Finished ones
// are found for as long as they are kept.
func (w *Writer) Find(ctx context.Context, what string) (id ID, found bool, err error) {
	n, err := w.named(ctx, what)
	if err != nil || n == nil {
		return 0, false, err
	}
	return ID(n.nonce), true, nil
}

// Balance is what the wallet has at the newest block, in the chain's own currency.
// What does not fit into an amount is the largest there is.
func (w *Writer) Balance(ctx context.Context) (ledger.Amount, error) {
	if err := w.ready(ctx); err != nil {
		return ledger.Amount{}, err
	}
	return w.server.balance(ctx, w.key.Address())
}

// receipt is what Wait returns for a finished one.
func (w *Writer) receipt(ctx context.Context, n *intent) (Receipt, error) {
	tx, err := w.sign(n, n.tries[n.try])
	if err != nil {
		return Receipt{}, err
	}
	r := Receipt{ID: ID(n.nonce), What: n.call.What, Hash: ledger.Hash(tx.Hash()), Block: n.block, Gas: n.used, Fee: n.paid}
	switch n.outcome {
	case Lost:
		return r, fmt.Errorf("%s (transaction %s): %w", n.call.What, r.Hash, ErrLost)
	case Reverted:
		return r, fmt.Errorf("%s: %w", n.call.What, w.why(ctx, n))
	default:
		return r, nil
	}
}

// why asks for the reason of a refusal, in the state of its block.
func (w *Writer) why(ctx context.Context, n *intent) error {
	var out hexutil.Bytes
	err := w.server.call(ctx, &out, "eth_call", message(w.key.Address(), n.call), hexutil.EncodeUint64(n.block))
	var reason *RevertError
	if errors.As(explainRevert(err), &reason) {
		return reason
	}
	return &RevertError{Text: "the state had changed when it came into a block; look at it again"}
}

// Unfinished are the transactions that are not in a deep block yet.
func (w *Writer) Unfinished(ctx context.Context) ([]ID, error) {
	var out []ID
	err := w.cfg.Store.View(ctx, func(tx kv.Tx) error {
		all, err := w.intents(tx)
		out = nil
		for _, n := range all {
			if n.outcome == Open {
				out = append(out, ID(n.nonce))
			}
		}
		return err
	})
	return out, err
}
