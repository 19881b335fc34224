package paying

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/culvert-net/culvert/api/backend"
	"github.com/culvert-net/culvert/api/body"
	"github.com/culvert-net/culvert/api/openai"
	"github.com/culvert-net/culvert/api/tunnel"
	"github.com/culvert-net/culvert/internal/app/billing"
	"github.com/culvert-net/culvert/internal/app/node"
	"github.com/culvert-net/culvert/internal/app/paying/purse"
	"github.com/culvert-net/culvert/internal/app/wallet"
	"github.com/culvert-net/culvert/internal/kv/bolt"
	"github.com/culvert-net/culvert/ledger"
	"github.com/culvert-net/culvert/ledger/channel"
	"github.com/culvert-net/culvert/ledger/store"
)

const (
	model   = "m"
	dispute = 24 * time.Hour
)

var domain = ledger.Domain{ChainID: 31337, Contract: ledger.Address{1}}

// unit makes a token of output cost 10 wei, and one of input 1.
var unit = ledger.Wei(10_000_000)

// market is a bridge that pays and a provider that is paid, joined by a circuit in
// memory. The contract is a table.
type market struct {
	testing.TB
	contract *contract     // as the bridge sees it
	theirs   *contract     // as the gateway does; the same unless a test says otherwise
	reader   channel.Chain // of a real chain, in place of theirs; nil: none
	wallet   sessions
	window   uint64   // of the bridge
	context  int      // tokens that the model takes
	allows   uint64   // what the gateway lends at most
	timed    *commits // counts those of both sides; nil: nobody does
	people   bool     // each account is bought for with funds of another wallet
	topUp    TopUp
	provider *ledger.Key
	sheet    ledger.Sheet

	payerDir string
	payeeDir string
	bridge   *side
	gateway  *side
	payer    *Payer
	channels *channel.Payer
	purses   *purse.Book
	client   *tunnel.Client

	payee *channel.Payee
	till  *billing.Till
	no    atomic.Pointer[openai.Error] // what the gateway says to all requests; nil: its till decides
	model *fakeModel

	circuit *wires
	lab     *lab // nil: wires in memory in place of circuits
}

// side is what one process has open.
type side struct {
	file  *mortal
	store *store.Store
	stop  func() // ends what runs
}

// contract holds channels.
type contract struct {
	mu       sync.Mutex
	channels map[ledger.ChannelID]ledger.Channel
	unread   bool // nobody looked yet
}

func (c *contract) Channel(id ledger.ChannelID) (ledger.Channel, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	ch, ok := c.channels[id]
	return ch, ok
}

func (c *contract) Fresh() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.unread {
		return time.Time{}
	}
	return time.Now()
}

// read says whether somebody looked.
func (c *contract) read(is bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.unread = !is
}

func (c *contract) held(id ledger.ChannelID) ledger.Channel {
	ch, _ := c.Channel(id)
	return ch
}

func (c *contract) forget(id ledger.ChannelID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.channels, id)
}

func (c *contract) set(id ledger.ChannelID, change func(*ledger.Channel)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	ch := c.channels[id]
	change(&ch)
	c.channels[id] = ch
}

// sessions derive keys from nothing much.
type sessions struct{ root [32]byte }

func (s sessions) Session(p wallet.SessionPath) (*ledger.Key, error) {
	b := s.root
	b[0], b[1] = byte(p.Counter), byte(p.Counter>>20)
	copy(b[2:], p.Provider[:8])
	copy(b[10:], p.Group)
	b[31] |= 1
	return ledger.KeyOfBytes(b)
}

func (sessions) Brought() []wallet.Session { return nil }

func newMarket(t testing.TB, changes ...func(*market)) *market {
	t.Helper()
	now := uint64(time.Now().Unix())
	m := &market{
		TB: t, contract: &contract{channels: make(map[ledger.ChannelID]ledger.Channel)}, window: 20_000, context: 100,
		wallet: sessions{[32]byte{30: 7}}, provider: ledger.NewKey(), payerDir: t.TempDir(), payeeDir: t.TempDir(), model: &fakeModel{tokens: 20},
	}
	m.sheet = ledger.Sheet{
		Sequence: 1, UnitPrice: unit, ValidFrom: now - 60, ValidUntil: now + 3600*24,
		Models: []ledger.ModelPrice{{Model: model, Input: ledger.Wei(1_000_000), Cached: ledger.Wei(1_000_000), Output: unit}},
	}
	m.circuit = &wires{requests: newAcceptor(), pays: newAcceptor()}
	m.theirs = m.contract
	for _, change := range changes {
		change(m)
	}
	m.startGateway()
	m.startBridge()
	t.Cleanup(func() {
		m.bridge.stop()
		m.gateway.stop()
	})
	return m
}

func (m *market) must(err error) {
	m.Helper()
	if err != nil {
		m.Fatal(err)
	}
}

// open opens the ledger of a directory.
func (m *market) open(dir string) *side {
	m.Helper()
	file, err := bolt.Open(filepath.Join(dir, "ledger.db"))
	m.must(err)
	mortal := &mortal{Store: file, cut: m.circuit.cut, died: make(chan struct{})}
	s, err := store.Open(m.Context(), mortal, store.Config{Generation: filepath.Join(dir, "generation")})
	m.must(err)
	return &side{file: mortal, store: s}
}

func (s *side) close() error { return errors.Join(s.store.Close(), s.file.Close()) }

func (m *market) startGateway() {
	m.Helper()
	m.gateway = m.open(m.payeeDir)
	var seen channel.Chain = m.theirs
	if m.reader != nil {
		seen = m.reader
	}
	var err error
	m.payee, err = channel.NewPayee(channel.PayeeConfig{
		Store: m.timed.of(m.gateway.store), Chain: seen, Domain: domain, Key: m.provider, Owner: "gateway", DisputeTime: dispute,
		AllowanceCap: ledger.Wei(m.allows), YoungCap: ledger.Wei(m.allows),
		Sheet: func(digest ledger.Hash) (*ledger.Sheet, bool) { return &m.sheet, digest == m.sheet.Digest(domain) },
	})
	m.must(err)
	m.must(m.payee.Start(m.Context(), time.Now(), nil))
	m.till = billing.Open(billing.Config{
		Payee: m.payee, Context: func(string) int { return m.context }, Asks: func() bool { return true }, Log: m.log(),
	})
	server, err := tunnel.NewServer(tunnel.ServerConfig{Backend: m.model, Budget: body.NewBudget(64 << 20), Biller: biller{m.till, &m.no}, Log: m.log()})
	m.must(err)
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	requests, pays := m.acceptors()
	till := m.till // the next start's is another
	wg.Go(func() { _ = till.Serve(ctx, pays) })
	wg.Go(func() { _ = server.Run(ctx, requests) })
	s := m.gateway
	s.stop = sync.OnceFunc(func() {
		cancel()
		wg.Wait()
		if err := s.close(); err != nil {
			m.Error(err)
		}
	})
}

// biller is of one start of the gateway: who comes late to one that was killed does
// not meet the next.
type biller struct {
	till *billing.Till
	no   *atomic.Pointer[openai.Error] // what all are told, if anything
}

// Admit implements tunnel.Biller.
func (b biller) Admit(ctx context.Context, a tunnel.Admission) (tunnel.Bill, *openai.Error) {
	if e := b.no.Load(); e != nil {
		return nil, e
	}
	return b.till.Admit(ctx, a)
}

func (m *market) log() *slog.Logger { return slog.New(slog.DiscardHandler) }

// startBridge begins, or begins again, on the same directory.
func (m *market) startBridge() {
	m.Helper()
	m.bridge = m.open(m.payerDir)
	m.purses = purse.NewBook(purse.Config{Store: m.bridge.store, Wallet: m.wallet, Domain: domain})
	var err error
	m.channels, err = channel.NewPayer(channel.PayerConfig{
		Store: m.timed.of(m.bridge.store), Chain: m.contract, Domain: domain, Key: m.purses.Key, Owner: "bridge", Window: ledger.Wei(m.window),
	})
	m.must(err)
	m.must(m.channels.Start(m.Context(), time.Now()))
	m.topUp.Store = m.bridge.store
	m.payer, err = New(m.Context(), Config{
		Payer: m.channels, Purses: m.purses, Log: m.log(),
		Offer: func(tunnel.Target, time.Time) (*Offer, error) {
			return &Offer{Provider: m.provider.Address(), Sheet: &m.sheet, Context: m.context}, nil
		},
		Beside: m.bridge.file.besides(m.beside()),
		TopUp:  m.topUp,
		Money:  ledger.Amount.String,
		Buy:    func(_ ledger.Address, account string) string { return "bridge buy " + account },
	})
	m.must(err)
	m.client, err = tunnel.NewClient(tunnel.ClientConfig{Router: router{}, Dialer: m.dialer(), Payer: m.payer, Log: m.log()})
	m.must(err)
	ctx, cancel := context.WithCancel(context.Background())
	ran := make(chan error, 1)
	s, payer := m.bridge, m.payer // the next start's are others
	go func() { ran <- payer.Run(ctx) }()
	s.stop = sync.OnceFunc(func() {
		cancel()
		if err := errors.Join(<-ran, s.close()); err != nil {
			m.Error(err)
		}
	})
}

func (m *market) acceptors() (requests, pays tunnel.Acceptor) {
	if m.lab != nil {
		return m.lab.acceptors()
	}
	return m.circuit.requests, m.circuit.pays
}

func (m *market) dialer() tunnel.Dialer {
	if m.lab != nil {
		return m.lab.dialer()
	}
	return m.circuit
}

func (m *market) beside() func(context.Context, tunnel.Conn) (tunnel.Conn, error) {
	if m.lab != nil {
		return node.Beside
	}
	return m.circuit.beside
}

// buy buys for an account, with funds of the same wallet.
func (m *market) buy(account string, amount uint64) ledger.ChannelID {
	m.Helper()
	key, err := m.purses.Open(m.Context(), m.provider.Address(), account)
	m.must(err)
	funder := ledger.Address{9}
	if m.people {
		copy(funder[1:], account)
	}
	id, err := m.channels.Hold(m.Context(), m.provider.Address(), key.Address(), funder)
	m.must(err)
	m.contract.set(id, func(c *ledger.Channel) {
		deposited, err := c.Deposited.Add(ledger.Wei(amount))
		m.must(err)
		*c = ledger.Channel{
			ID: id, Provider: m.provider.Address(), Key: key.Address(), Funder: funder, Epoch: 1, Deposited: deposited, Locked: unit,
		}
	})
	return id
}

// books are the provider's.
func (m *market) books(id ledger.ChannelID) channel.State {
	m.Helper()
	ask, err := m.channels.ResyncAsk(m.Context(), id)
	m.must(err)
	s, err := m.payee.Resync(m.Context(), time.Now(), *ask)
	m.must(err)
	return s
}

// hurry ends what is waited for, as the limits do.
func (m *market) hurry() {
	m.payer.mu.Lock()
	defer m.payer.mu.Unlock()
	for _, cancel := range m.payer.live {
		cancel()
	}
}

// settled waits until nothing of the bridge's is under way.
func (m *market) settled() {
	m.Helper()
	m.eventually("payments are settled", func() bool {
		m.payer.mu.Lock()
		defer m.payer.mu.Unlock()
		return len(m.payer.live) == 0
	})
}

// balance is a channel in the bridge's books.
func (m *market) balance(id ledger.ChannelID) channel.Balance {
	m.Helper()
	all, err := m.channels.Balances(m.Context())
	m.must(err)
	i := slices.IndexFunc(all, func(b channel.Balance) bool { return b.Channel == id })
	if i < 0 {
		m.Fatalf("channel %s is not held", id)
	}
	return all[i]
}

// eventually waits for something that another goroutine does.
func (m *market) eventually(what string, holds func() bool) {
	m.Helper()
	for end := time.Now().Add(10 * time.Second); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			m.Fatalf("%s: not within ten seconds", what)
		}
	}
}

// request is a question, with more fields if there are some.
func request(t testing.TB, fields string) *backend.Request {
	t.Helper()
	text := []byte(`{"model":"` + model + `","messages":[{"role":"user","content":"hello"}]` + fields + `}`)
	view, e := openai.ParseChat(text)
	if e != nil {
		t.Fatal(e)
	}
	return &backend.Request{Method: http.MethodPost, Path: "/v1/chat/completions", Header: http.Header{}, Body: text, View: view}
}

// ask asks and reads the whole answer.
func (m *market) ask(req *backend.Request) (text string, resp *backend.Response, err error) {
	resp, err = m.client.Do(m.Context(), req)
	if err != nil {
		return "", nil, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return string(b), resp, err
}

// router knows one provider.
type router struct{}

func (router) Choose(_ string, _ openai.Capability, exclude []tunnel.Target) (tunnel.Target, error) {
	if len(exclude) > 0 {
		return tunnel.Target{}, tunnel.ErrNoProvider
	}
	return tunnel.Target{Key: providerNode, Name: "p", Model: model}, nil
}
func (router) Report(tunnel.Target, tunnel.Outcome) {}
func (router) Models() []backend.Model              { return nil }

// wires join the two sides without a circuit.
type wires struct {
	requests, pays *acceptor

	mu   sync.Mutex
	wrap func(server tunnel.Conn) tunnel.Conn // of pay streams at the gateway; nil: as they are
	fail error                                // of opening pay streams
	ends []*pipe                              // of all streams that were opened
	gone map[tunnel.Conn]bool                 // those whose circuit has ended
}

// Dial implements tunnel.Dialer.
func (c *wires) Dial(context.Context, tunnel.Target, backend.Group) (tunnel.Conn, error) {
	c.mu.Lock()
	to := c.requests
	c.mu.Unlock()
	here, there := c.open()
	return here, to.offer(there)
}

func (c *wires) beside(_ context.Context, conn tunnel.Conn) (tunnel.Conn, error) {
	c.mu.Lock()
	wrap, fail, to, gone := c.wrap, c.fail, c.pays, c.gone[conn]
	c.mu.Unlock()
	if gone {
		return nil, tunnel.ErrGone
	}
	if fail != nil {
		return nil, fail
	}
	here, there := c.open()
	var end tunnel.Conn = there
	if wrap != nil {
		end = wrap(there)
	}
	return here, to.offer(end)
}

func (c *wires) open() (here, there *pipe) {
	here, there = newPipe()
	c.set(func(c *wires) { c.ends = append(c.ends, here) })
	return here, there
}

// cut ends all circuits that there are.
func (c *wires) cut() {
	c.set(func(c *wires) {
		if c.gone == nil {
			c.gone = make(map[tunnel.Conn]bool)
		}
		for _, p := range c.ends {
			_ = p.Reset()
			c.gone[p] = true
		}
		c.ends = nil
	})
}

func (c *wires) set(f func(c *wires)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f(c)
}

// acceptor hands out streams.
type acceptor struct {
	conns chan tunnel.Conn
	over  chan struct{}
	close func()
}

func newAcceptor() *acceptor {
	a := &acceptor{conns: make(chan tunnel.Conn), over: make(chan struct{})}
	a.close = sync.OnceFunc(func() { close(a.over) })
	return a
}

func (a *acceptor) offer(c tunnel.Conn) error {
	select {
	case a.conns <- c:
		return nil
	case <-a.over:
		return errCut
	}
}

func (a *acceptor) Accept() (tunnel.Conn, error) {
	select {
	case c := <-a.conns:
		return c, nil
	case <-a.over:
		return nil, io.EOF
	}
}

func (a *acceptor) Close() error {
	a.close()
	return nil
}

// fakeModel answers with so many tokens, each of a word.
type fakeModel struct {
	mu     sync.Mutex
	tokens int
	lie    int           // tokens that it counts too many
	hold   chan struct{} // not nil: it waits for it behind the first token
	status int           // of an error in place of an answer
	thinks int           // tokens that are not shown
	pace   time.Duration // between tokens
}

func (f *fakeModel) set(change func(*fakeModel)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(f)
}

func (f *fakeModel) Models(context.Context) ([]backend.Model, error) { return nil, nil }

func (f *fakeModel) Do(ctx context.Context, req *backend.Request) (*backend.Response, error) {
	f.mu.Lock()
	tokens, lie, hold, status, thinks, pace := f.tokens, f.lie, f.hold, f.status, f.thinks, f.pace
	f.mu.Unlock()
	if status != 0 {
		return nil, openai.Upstream(status, "broken", "it is broken")
	}
	if most := req.View.Most(req.Body); most > 0 {
		tokens = min(tokens, int(most))
	}
	usage := fmt.Sprintf(`"usage":{"prompt_tokens":8,"completion_tokens":%d,"completion_tokens_details":{"reasoning_tokens":%d}}`, tokens+lie+thinks, thinks)
	if !req.View.Stream {
		return answer(backend.ContentJSON, io.NopCloser(strings.NewReader(
			`{"object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"`+strings.Repeat("word ", tokens)+`"}}],`+usage+`}`))), nil
	}
	r, w := io.Pipe()
	stop := context.AfterFunc(ctx, func() { _ = w.CloseWithError(ctx.Err()) })
	go func() {
		defer stop()
		for i := range tokens {
			if i == 1 && hold != nil {
				select {
				case <-hold:
				case <-ctx.Done():
				}
			}
			if pace > 0 {
				time.Sleep(pace)
			}
			fmt.Fprintf(w, `data: {"object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"word "}}]}`+"\n\n")
		}
		fmt.Fprint(w, `data: {"object":"chat.completion.chunk","choices":[],`+usage+"}\n\ndata: [DONE]\n\n")
		_ = w.Close()
	}()
	return answer(backend.ContentStream, r), nil
}

func answer(media string, body io.ReadCloser) *backend.Response {
	return &backend.Response{Status: http.StatusOK, Header: http.Header{"Content-Type": {media}}, Body: body}
}
