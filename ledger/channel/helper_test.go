package channel

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/culvert-net/culvert/internal/kv"
	"github.com/culvert-net/culvert/ledger"
)

// memory is a store in memory, whose writes fail when the test wants it.
type memory struct {
	mu       sync.RWMutex
	data     map[string][]byte // bucket, 0, key
	restored bool
	writes   int // that were tried

	// fail, if it is not nil, is asked before the n-th write from 1 on becomes
	// durable: whether it fails, and whether it is durable all the same.
	fail func(n int) (fails, stored bool)
}

var errDisk = errors.New("the disk has failed")

func newMemory() *memory { return &memory{data: make(map[string][]byte)} }

func (m *memory) Do(ctx context.Context, f func(kv.Tx) error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	// Each function runs twice, as those of a store may.
	if err := f(&memoryTx{data: m.data, changes: map[string][]byte{}}); err != nil {
		return err
	}
	tx := &memoryTx{data: m.data, changes: map[string][]byte{}}
	if err := f(tx); err != nil {
		return err
	}
	m.writes++
	if m.fail != nil {
		if fails, stored := m.fail(m.writes); fails {
			if stored {
				tx.commit()
			}
			return errDisk
		}
	}
	tx.commit()
	return nil
}

func (m *memory) View(_ context.Context, f func(kv.Tx) error) error {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return f(&memoryTx{data: m.data})
}

func (m *memory) Restored() bool { return m.restored }

// copyOf is a copy of the store, as a backup is.
func (m *memory) copyOf() map[string][]byte {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return maps.Clone(m.data)
}

type memoryTx struct {
	data    map[string][]byte
	changes map[string][]byte // nil value: deleted; nil map: it only reads
}

func (t *memoryTx) commit() {
	for k, v := range t.changes {
		if v == nil {
			delete(t.data, k)
		} else {
			t.data[k] = v
		}
	}
}

func (t *memoryTx) Get(bucket string, key []byte) ([]byte, error) {
	v, ok := t.changes[bucket+"\x00"+string(key)]
	if !ok {
		v = t.data[bucket+"\x00"+string(key)]
	}
	if v == nil {
		return nil, kv.ErrNotFound
	}
	return append([]byte{}, v...), nil
}

func (t *memoryTx) Put(bucket string, key, value []byte) error {
	if t.changes == nil {
		return kv.ErrReadOnly
	}
	if err := errors.Join(kv.CheckBucket(bucket), kv.CheckPair(key, value)); err != nil {
		return err
	}
	t.changes[bucket+"\x00"+string(key)] = append([]byte{}, value...)
	return nil
}

func (t *memoryTx) Delete(bucket string, key []byte) error {
	if t.changes == nil {
		return kv.ErrReadOnly
	}
	t.changes[bucket+"\x00"+string(key)] = nil
	return nil
}

func (t *memoryTx) Scan(bucket string, prefix []byte, f func(key, value []byte) error) error {
	front := bucket + "\x00"
	found := map[string][]byte{}
	for _, from := range []map[string][]byte{t.data, t.changes} {
		for k, v := range from {
			if strings.HasPrefix(k, front+string(prefix)) {
				found[k] = v
			}
		}
	}
	for _, k := range slices.Sorted(maps.Keys(found)) {
		if found[k] == nil {
			continue
		}
		if err := f([]byte(k[len(front):]), append([]byte{}, found[k]...)); err != nil {
			return err
		}
	}
	return nil
}

// fakeChain is a contract without a chain.
type fakeChain struct {
	mu       sync.Mutex
	channels map[ledger.ChannelID]ledger.Channel
	fresh    time.Time
}

func (c *fakeChain) Channel(id ledger.ChannelID) (ledger.Channel, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	ch, ok := c.channels[id]
	return ch, ok
}

func (c *fakeChain) Fresh() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.fresh
}

func (c *fakeChain) set(change func(*ledger.Channel), id ledger.ChannelID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	ch := c.channels[id]
	change(&ch)
	c.channels[id] = ch
}

func (c *fakeChain) all() []ledger.Channel {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Collect(maps.Values(c.channels))
}

// Prices of the tests: an input token costs 1 wei, one of output 10.
const (
	unitPrice   = 10_000_000
	inputPrice  = 1_000_000
	outputPrice = 10_000_000
	model       = "demo-7b"
	dispute24h  = 24 * time.Hour
)

func keyOf(n byte) *ledger.Key {
	k, err := ledger.KeyOfBytes([32]byte{31: n})
	if err != nil {
		panic(err)
	}
	return k
}

// world is a payer, a provider and a contract.
type world struct {
	testing.TB
	ctx      context.Context
	now      time.Time
	domain   ledger.Domain
	chain    *fakeChain
	sheet    *ledger.Sheet
	provider *ledger.Key
	session  *ledger.Key
	funder   *ledger.Key
	id       ledger.ChannelID

	payerStore, payeeStore *memory
	payer                  *Payer
	payee                  *Payee
	window                 ledger.Amount
	cap, young             ledger.Amount
}

const deposit = 1_000_000

func newWorld(t testing.TB) *world {
	now := time.Unix(1_700_000_000, 0)
	w := &world{
		TB: t, ctx: context.Background(), now: now,
		domain: ledger.Domain{ChainID: 31337, Contract: ledger.Address{1}},
		chain:  &fakeChain{channels: map[ledger.ChannelID]ledger.Channel{}, fresh: now},
		sheet: &ledger.Sheet{
			ID: [16]byte{1}, Sequence: 1, UnitPrice: ledger.Wei(unitPrice), ValidFrom: unix(now) - 10, ValidUntil: unix(now) + 30*24*3600,
			Models: []ledger.ModelPrice{{Model: model, Input: ledger.Wei(inputPrice), Cached: ledger.Wei(inputPrice / 2), Output: ledger.Wei(outputPrice)}},
		},
		provider: keyOf(1), session: keyOf(2), funder: keyOf(3),
		payerStore: newMemory(), payeeStore: newMemory(),
		window: ledger.Wei(100_000), cap: ledger.Wei(50_000), young: ledger.Wei(200_000),
	}
	w.id = w.buy(w.session, w.funder, deposit)
	w.startPayee()
	w.startPayer()
	w.hold(w.session, w.funder)
	return w
}

func (w *world) buy(session, funder *ledger.Key, amount uint64) ledger.ChannelID {
	id := ledger.ChannelOf(w.provider.Address(), session.Address(), funder.Address())
	w.chain.set(func(c *ledger.Channel) {
		*c = ledger.Channel{
			ID: id, Provider: w.provider.Address(), Key: session.Address(), Funder: funder.Address(), Epoch: 1,
			Deposited: ledger.Wei(amount), Locked: ledger.Wei(unitPrice),
		}
	}, id)
	return id
}

func (w *world) hold(session, funder *ledger.Key) {
	w.Helper()
	if _, err := w.payer.Hold(w.ctx, w.provider.Address(), session.Address(), funder.Address()); err != nil {
		w.Fatal(err)
	}
}

func (w *world) payeeConfig(owner string) PayeeConfig {
	digest := w.sheet.Digest(w.domain)
	return PayeeConfig{
		Store: w.payeeStore, Chain: w.chain, Domain: w.domain, Key: w.provider, Owner: owner,
		Sheet:        func(h ledger.Hash) (*ledger.Sheet, bool) { return w.sheet, h == digest },
		AllowanceCap: w.cap, YoungCap: w.young, DisputeTime: dispute24h,
	}
}

// startPayee starts the provider's process, anew if one ran.
func (w *world) startPayee() {
	w.Helper()
	p, err := NewPayee(w.payeeConfig("gateway"))
	if err != nil {
		w.Fatal(err)
	}
	if err := p.Start(w.ctx, w.now, w.chain.all()); err != nil {
		w.Fatal(err)
	}
	w.payee = p
}

// sessionKeys are those that a test's payer may use: all small numbers.
func sessionKeys(a ledger.Address) (*ledger.Key, error) {
	for n := byte(1); n < 100; n++ {
		if k := keyOf(n); k.Address() == a {
			return k, nil
		}
	}
	return nil, errors.New("no such key")
}

func (w *world) startPayer() {
	w.Helper()
	known := map[ledger.Address]*ledger.Key{w.session.Address(): w.session}
	p, err := NewPayer(PayerConfig{
		Store: w.payerStore, Chain: w.chain, Domain: w.domain, Owner: "bridge", Window: w.window,
		Key: func(a ledger.Address) (*ledger.Key, error) {
			if k, ok := known[a]; ok {
				return k, nil
			}
			return sessionKeys(a)
		},
	})
	if err != nil {
		w.Fatal(err)
	}
	if err := p.Start(w.ctx, w.now); err != nil {
		w.Fatal(err)
	}
	w.payer = p
}

var testBody = []byte(`{"model":"demo-7b","messages":[{"role":"user","content":"a canary: do not keep me"}]}`)

const testTarget = "/v1/chat/completions"

func (w *world) order(output uint64) Order {
	return Order{
		Channel: w.id, Target: testTarget, Body: testBody, Sheet: w.sheet, Model: model, Input: 100, Output: output, TTL: 10 * time.Minute,
	}
}

func (w *world) open(output uint64) *Payment {
	w.Helper()
	m, err := w.payer.Open(w.ctx, w.now, w.order(output))
	if err != nil {
		w.Fatalf("Open = %v", err)
	}
	return m
}

// admitBy is what a gateway does with what came.
func (w *world) admitBy(p *Payee, header string, output uint64) (Admission, error) {
	w.Helper()
	h, err := ParseHeader(header)
	if err != nil {
		w.Fatalf("ParseHeader = %v", err)
	}
	return p.Admit(w.ctx, w.now, h, Terms{
		RequestHash: HashRequest(h.Salt, testTarget, testBody), Model: model, Input: 100, Output: output, OutputCap: 4096,
	})
}

func (w *world) admit(m *Payment, output uint64) *Round {
	w.Helper()
	a, err := w.admitBy(w.payee, m.Header(), output)
	if err != nil || a.Round == nil {
		w.Fatalf("Admit = %+v, %v", a, err)
	}
	return a.Round
}

// answer is a text of four bytes a token.
func answer(tokens uint64) []byte { return bytes.Repeat([]byte("word"), int(tokens)) }

func hashOf(salt [32]byte, body []byte) ledger.Hash {
	h := NewResponseHash(salt)
	_, _ = h.Write(body)
	return SumOf(h)
}

// deliver finishes a round at the provider, which counts the output times
// factor percent, and hands the answer to the payer.
func (w *world) deliver(m *Payment, r *Round, tokens, percent uint64) Ending {
	w.Helper()
	body := answer(tokens)
	m.Delivered(Delivery{Text: uint64(len(body)), Chunks: tokens})
	result, err := r.Finish(w.ctx, w.now, ledger.Usage{Input: 20, Output: tokens * percent / 100}, hashOf(m.Salt(), body), ledger.StatusDone)
	if err != nil {
		w.Fatalf("Finish = %v", err)
	}
	return Ending{Result: result, Complete: true, Response: hashOf(m.Salt(), body)}
}

// settle confirms, and brings the voucher to the provider.
func (w *world) settle(m *Payment, e Ending) Confirmation {
	w.Helper()
	c, err := m.Confirm(w.ctx, w.now, e)
	if err != nil {
		w.Fatalf("Confirm = %v", err)
	}
	w.pay(m, c.Voucher)
	return c
}

func (w *world) pay(m *Payment, v ledger.Signed[ledger.Voucher]) Accepted {
	w.Helper()
	a, err := w.payee.Voucher(w.ctx, w.now, v)
	if err != nil {
		w.Fatalf("Voucher = %v", err)
	}
	if err := m.Accepted(w.ctx, a); err != nil {
		w.Fatalf("Accepted = %v", err)
	}
	return a
}

// round is one whole round in which nothing goes wrong.
func (w *world) round(tokens uint64) Confirmation {
	w.Helper()
	m := w.open(tokens)
	r := w.admit(m, tokens)
	return w.settle(m, w.deliver(m, r, tokens, 100))
}

// resync compares the books of the two.
func (w *world) resync() error {
	ask, err := w.payer.ResyncAsk(w.ctx, w.id)
	if err != nil {
		return err
	}
	state, err := w.payee.Resync(w.ctx, w.now, *ask)
	if err != nil {
		return err
	}
	v, err := w.payer.Adopt(w.ctx, w.id, state)
	if err != nil || v == nil {
		return err
	}
	_, err = w.payee.Voucher(w.ctx, w.now, *v)
	return err
}

func (w *world) book() *book {
	w.Helper()
	var b *book
	at := w.place()
	err := w.payeeStore.View(w.ctx, func(tx kv.Tx) (err error) {
		b, _, err = loadBook(tx, at)
		return err
	})
	if err != nil {
		w.Fatal(err)
	}
	return b
}

func (w *world) account() *account {
	w.Helper()
	var a *account
	at := w.place()
	err := w.payerStore.View(w.ctx, func(tx kv.Tx) (err error) {
		a, _, err = loadAccount(tx, at)
		return err
	})
	if err != nil {
		w.Fatal(err)
	}
	return a
}

func (w *world) place() place {
	c, _ := w.chain.Channel(w.id)
	return place{w.id, c.Epoch}
}

func (w *world) later(d time.Duration) {
	w.now = w.now.Add(d)
	w.chain.mu.Lock()
	w.chain.fresh = w.now
	w.chain.mu.Unlock()
}

func refusedWith(err error, code Code) bool {
	r, ok := errors.AsType[*Refusal](err)
	return ok && r.Code == code
}
