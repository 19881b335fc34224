package billing

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/culvert-net/culvert/api/backend"
	"github.com/culvert-net/culvert/api/openai"
	"github.com/culvert-net/culvert/api/tunnel"
	"github.com/culvert-net/culvert/api/usage"
	"github.com/culvert-net/culvert/internal/app/terms"
	"github.com/culvert-net/culvert/internal/kv/bolt"
	"github.com/culvert-net/culvert/ledger"
	"github.com/culvert-net/culvert/ledger/channel"
	"github.com/culvert-net/culvert/ledger/store"
)

// market is one channel between a client and a provider whose till is tested. The
// contract is a value.
type market struct {
	t       *testing.T
	till    *Till
	payer   *channel.Payer
	sheet   ledger.Sheet
	channel ledger.ChannelID
	provider,
	session *ledger.Key
	contract *contract
}

const (
	path  = "/v1/chat/completions"
	model = "m"
)

var domain = ledger.Domain{ChainID: 31337, Contract: ledger.Address{1}}

// contract is a chain that has one channel.
type contract struct {
	ledger.Channel
	silent atomic.Bool  // it cannot be read
	long   atomic.Bool  // for long
	unread atomic.Bool  // the purchase was not seen
	epoch  atomic.Int32 // after the channel's
	held   atomic.Uint64
}

// deposit makes the deposit seem another one.
func (c *contract) deposit(a ledger.Amount) { c.held.Store(a.Big().Uint64()) }

func (c *contract) of(id ledger.ChannelID) (ledger.Channel, bool) {
	ch := c.Channel
	ch.Epoch += uint32(c.epoch.Load())
	if held := c.held.Load(); held > 0 {
		ch.Deposited = ledger.Wei(held)
	}
	return ch, id == c.ID && !c.unread.Load()
}

// chainOf is a contract as the ledger asks it.
type chainOf struct{ *contract }

func (c chainOf) Channel(id ledger.ChannelID) (ledger.Channel, bool) { return c.of(id) }

func (c chainOf) Fresh() time.Time {
	if c.silent.Load() && c.long.Load() {
		return time.Time{}
	}
	if c.silent.Load() {
		return time.Now().Add(-dispute / 3)
	}
	return time.Now()
}

const dispute = 24 * time.Hour

// eth is so many thousandths of a coin.
func eth(thousandths uint64) ledger.Amount { return ledger.Wei(thousandths * 1e15) }

// newMarket has a channel with so much in it, of which the payer risks a window.
func newMarket(t *testing.T, deposit, window ledger.Amount) *market {
	t.Helper()
	m := &market{t: t, provider: ledger.NewKey(), session: ledger.NewKey()}
	funder := ledger.NewKey().Address()
	m.channel = ledger.ChannelOf(m.provider.Address(), m.session.Address(), funder)
	unit := eth(1000) // of a million tokens
	m.contract = &contract{Channel: ledger.Channel{
		ID: m.channel, Provider: m.provider.Address(), Key: m.session.Address(), Funder: funder, Epoch: 1,
		Deposited: deposit, Locked: unit,
	}}
	c := chainOf{m.contract}
	now := uint64(time.Now().Unix())
	m.sheet = ledger.Sheet{
		Sequence: 1, UnitPrice: unit, ValidFrom: now - 60, ValidUntil: now + 3600,
		Models: []ledger.ModelPrice{{Model: model, Input: unit.Half(), Cached: unit.Half(), Output: unit}},
	}
	payee, err := channel.NewPayee(channel.PayeeConfig{
		Store: openStore(t), Chain: c, Domain: domain, Key: m.provider, Owner: "gateway", DisputeTime: dispute, AllowanceCap: eth(100), YoungCap: eth(100),
		Sheet: func(digest ledger.Hash) (*ledger.Sheet, bool) { return &m.sheet, digest == m.sheet.Digest(domain) },
	})
	m.must(err)
	m.must(payee.Start(t.Context(), time.Now(), nil))
	m.payer, err = channel.NewPayer(channel.PayerConfig{
		Store: openStore(t), Chain: c, Domain: domain, Owner: "bridge", Window: window,
		Key: func(ledger.Address) (*ledger.Key, error) { return m.session, nil },
	})
	m.must(err)
	m.must(m.payer.Start(t.Context(), time.Now()))
	_, err = m.payer.Hold(t.Context(), m.provider.Address(), m.session.Address(), funder)
	m.must(err)
	m.till = Open(Config{
		Payee: payee, Context: func(string) int { return 100 }, Asks: func() bool { return true },
		Log: slog.New(slog.DiscardHandler),
	})
	return m
}

func openStore(t *testing.T) *store.Store {
	t.Helper()
	dir := t.TempDir()
	file, err := bolt.Open(filepath.Join(dir, "ledger.db"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(t.Context(), file, store.Config{Generation: filepath.Join(dir, "generation")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if err := file.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func (m *market) must(err error) {
	m.t.Helper()
	if err != nil {
		m.t.Fatal(err)
	}
}

// order opens a round for a request, as a bridge does.
func (m *market) order(most uint64) (*channel.Payment, tunnel.Admission) {
	m.t.Helper()
	body := []byte(`{"model":"` + model + `","messages":[{"role":"user","content":"hello"}]}`)
	view, e := openai.ParseChat(body)
	if e != nil {
		m.t.Fatal(e)
	}
	p, err := m.payer.Open(m.t.Context(), time.Now(), channel.Order{
		Channel: m.channel, Target: path, Body: body, Sheet: &m.sheet, Model: model,
		Input: terms.Of(body, view).Input, Output: most, TTL: time.Minute,
	})
	m.must(err)
	return p, tunnel.Admission{Header: p.Header(), Request: &backend.Request{Path: path, Body: body, View: view}}
}

// stream is a pay stream: an end for the payer, and one that a Till serves.
type stream struct {
	net.Conn
	over chan struct{}
	once sync.Once
}

func (s *stream) CloseWrite() error     { return nil }
func (s *stream) Reset() error          { return s.Close() }
func (s *stream) Done() <-chan struct{} { return s.over }
func (s *stream) Circuit() string       { return "c" }

func (s *stream) Close() error {
	s.once.Do(func() { close(s.over) })
	return s.Conn.Close()
}

// accepted are streams for a Till.
type accepted struct {
	streams chan tunnel.Conn
	over    chan struct{}
	once    sync.Once
}

func (a *accepted) Accept() (tunnel.Conn, error) {
	select {
	case c := <-a.streams:
		return c, nil
	case <-a.over:
		return nil, io.EOF
	}
}

func (a *accepted) Close() error {
	a.once.Do(func() { close(a.over) })
	return nil
}

// serve has the till serve pay streams until the returned function is called.
func (m *market) serve() (open func() net.Conn, stop func()) {
	m.t.Helper()
	in := &accepted{streams: make(chan tunnel.Conn), over: make(chan struct{})}
	ctx, cancel := context.WithCancel(m.t.Context())
	done := make(chan error)
	go func() { done <- m.till.Serve(ctx, in) }()
	open = func() net.Conn {
		here, there := net.Pipe()
		in.streams <- &stream{Conn: there, over: make(chan struct{})}
		return here
	}
	return open, func() {
		cancel()
		m.must(<-done)
	}
}

// write sends a frame.
func (m *market) write(c net.Conn, f channel.Frame) {
	m.t.Helper()
	m.must(channel.WriteFrame(c, f))
}

// read is the next frame, which is of a type.
func read[F channel.Frame](m *market, c net.Conn) F {
	m.t.Helper()
	f, err := channel.ReadFrame(c)
	m.must(err)
	want, ok := f.(F)
	if !ok {
		m.t.Fatalf("%T %+v came, want %T", f, f, want)
	}
	return want
}

// earn has a round answered and paid, after which the provider lends a little.
func (m *market) earn(open func() net.Conn) {
	m.t.Helper()
	p, a := m.order(100)
	line := open()
	hello := p.Hello()
	m.write(line, &hello)
	bill, e := m.till.Admit(m.t.Context(), a)
	if e != nil {
		m.t.Fatal(e)
	}
	much := usage.Snapshot{Input: 1000, Output: 100, Told: true}
	if e := bill.Pass(m.t.Context(), answer, much); e != nil {
		m.t.Fatal(e)
	}
	go bill.End(tunnel.BillEnd{Status: http.StatusOK, Complete: true, Usage: much})
	result := read[*channel.ResultFrame](m, line).Result
	p.Delivered(channel.Delivery{Text: 400})
	hash := channel.NewResponseHash(p.Salt())
	_, _ = hash.Write(answer)
	c, err := p.Confirm(m.t.Context(), time.Now(), channel.Ending{Result: result, Complete: true, Response: channel.SumOf(hash)})
	m.must(err)
	m.write(line, &channel.VoucherFrame{Voucher: c.Voucher})
	got := read[*channel.Accepted](m, line)
	if got.Allowance.IsZero() {
		m.t.Fatal("nothing is lent to who has paid")
	}
	m.must(p.Accepted(m.t.Context(), *got))
	m.must(line.Close())
}
