package pricing

import (
	"crypto/ed25519"
	"errors"
	"testing"
	"time"

	"github.com/culvert-net/culvert/internal/app/node"
	"github.com/culvert-net/culvert/ledger"
	"github.com/culvert-net/culvert/mesh/directory"
	"github.com/culvert-net/culvert/mesh/directory/dirtest"
	"github.com/culvert-net/culvert/mesh/world"
)

// market is a world with providers in it, and a contract that knows them.
type market struct {
	*testing.T
	w      *dirtest.World
	now    time.Time
	set    *directory.Set
	domain ledger.Domain
	chain  entries
}

// entries are what the contract holds.
type entries map[ledger.Address]ledger.Provider

func (e entries) Provider(a ledger.Address) (ledger.Provider, bool) {
	p, ok := e[a]
	return p, ok
}

var unit = ledger.Wei(1_000_000)

func newMarket(t *testing.T) *market {
	w := dirtest.New(t, time.Hour, 1, 1)
	m := &market{T: t, w: w, now: w.EpochStart(w.Epoch(time.Now())).Add(30 * time.Minute), set: directory.NewSet(w.World), chain: make(entries)}
	m.domain = ledger.Domain{ChainID: 31337, Contract: ledger.Address{0xc}}
	return m
}

// key is the n-th provider's.
func key(n byte) *ledger.Key {
	k, err := ledger.KeyOfBytes([32]byte{31: n})
	if err != nil {
		panic(err)
	}
	return k
}

// sheet is one of the n-th provider that holds from and until so many seconds
// from now.
func (m *market) sheet(n byte, seq uint64, from, until int, change func(*ledger.Sheet)) []byte {
	m.Helper()
	s := ledger.Sheet{
		ID: [16]byte{n, byte(seq)}, Sequence: seq, UnitPrice: unit,
		Models:    []ledger.ModelPrice{{Model: "m", Input: ledger.Wei(100 * seq), Output: ledger.Wei(400 * seq)}},
		ValidFrom: uint64(m.now.Unix() + int64(from)), ValidUntil: uint64(m.now.Unix() + int64(until)),
	}
	if change != nil {
		change(&s)
	}
	out, err := s.Sign(m.domain, key(n))
	if err != nil {
		m.Fatal(err)
	}
	return out.Bytes()
}

// add puts the n-th node into the directory, paid as a provider, with sheets.
func (m *market) add(n int, pay []directory.Pay, models []string, sheets ...[]byte) directory.Node {
	m.Helper()
	onion := directory.OnionKey{Public: [32]byte{byte(n)}, NotAfter: m.w.EpochStart(m.w.Epoch(m.now) + 2)}
	d := directory.Node{Addrs: []string{"/ip4/127.0.0.1/tcp/4811"}, Onion: []directory.OnionKey{onion}, Pay: pay}
	for _, id := range models {
		d.Models = append(d.Models, directory.Model{ID: id, Runtime: "vllm"})
	}
	for _, b := range sheets {
		d.Prices = append(d.Prices, directory.SheetHash(b))
	}
	ds, err := directory.Build(dirtest.Key(n), m.w.ID, m.w.Epoch(m.now), 1, d)
	if err != nil {
		m.Fatal(err)
	}
	if res := m.set.Add(ds, m.now); res.Added != len(ds) {
		m.Fatalf("%+v", res)
	}
	m.set.AddSheets(sheets, false, m.now)
	out, _ := m.set.Snapshot().Node(transport(n))
	return out
}

func transport(n int) [32]byte { return [32]byte(dirtest.Key(n).Public().(ed25519.PublicKey)) }

// pays is the pay: line of the n-th provider.
func (m *market) pays(n byte) directory.Pay {
	return directory.Pay{ChainID: m.domain.ChainID, Contract: m.domain.Contract, Provider: key(n).Address()}
}

// register puts the n-th provider into the contract, with nodes.
func (m *market) register(n byte, nodes ...int) {
	text := "model:m\n"
	for _, t := range nodes {
		text += NodeLine(transport(t)) + "\n"
	}
	a := key(n).Address()
	m.chain[a] = ledger.Provider{Address: a, Price: unit, Descriptor: []byte(text)}
}

func (m *market) book() *Book { return NewBook(Config{Domain: m.domain, Chain: m.chain}) }

// A node's offer is the sheet of its provider that holds now; at its validFrom the
// next one takes over, though the one before would hold for longer.
func TestOffer(t *testing.T) {
	m := newMarket(t)
	m.register(1, 1)
	current, next := m.sheet(1, 1, -100, 1000, nil), m.sheet(1, 2, 500, 2000, nil)
	n := m.add(1, []directory.Pay{{ChainID: 1, Contract: [20]byte{1}, Provider: [20]byte{2}}, m.pays(1)}, []string{"m"}, next, current)
	b := m.book()
	for _, c := range []struct {
		after int
		seq   uint64
	}{{0, 1}, {499, 1}, {500, 2}, {999, 2}, {1000, 2}, {1999, 2}} {
		o, err := b.Offer(m.set.Snapshot(), n, m.now.Add(time.Duration(c.after)*time.Second))
		if err != nil || o.Sheet.Sequence != c.seq || o.Provider != key(1).Address() || o.Unit != unit || o.Digest != o.Sheet.Digest(m.domain) {
			t.Errorf("after %d s: sheet %d, %v, want %d", c.after, o.Sheet.Sequence, err, c.seq)
			continue
		}
		if p, err := o.Model("m"); err != nil || p.Output != ledger.Wei(400*c.seq) {
			t.Errorf("after %d s: %v, %v", c.after, p.Output, err)
		}
		if _, err := o.Model("other"); !errors.Is(err, ErrNotPriced) {
			t.Errorf("a model that is not listed: %v", err)
		}
	}
	for _, after := range []int{-101, 2000} {
		if _, err := b.Offer(m.set.Snapshot(), n, m.now.Add(time.Duration(after)*time.Second)); !errors.Is(err, ErrNoSheet) {
			t.Errorf("after %d s: %v, want ErrNoSheet", after, err)
		}
	}
}

// Of two that hold, the one made for the price in the contract counts.
func TestOfferOfTheUnitPrice(t *testing.T) {
	m := newMarket(t)
	m.register(1, 1)
	other := m.sheet(1, 2, -50, 1000, func(s *ledger.Sheet) { s.UnitPrice = ledger.Wei(7) })
	n := m.add(1, []directory.Pay{m.pays(1)}, []string{"m"}, m.sheet(1, 1, -100, 1000, nil), other)
	b := m.book()
	if o, err := b.Offer(m.set.Snapshot(), n, m.now); err != nil || o.Sheet.Sequence != 1 {
		t.Errorf("sheet %d, %v, want the one of the contract's price", o.Sheet.Sequence, err)
	}
	p := m.chain[key(1).Address()]
	p.Price = ledger.Wei(7)
	m.chain[key(1).Address()] = p
	if o, err := b.Offer(m.set.Snapshot(), n, m.now); err != nil || o.Sheet.Sequence != 2 {
		t.Errorf("after a change of it: sheet %d, %v", o.Sheet.Sequence, err)
	}
	p.Price = ledger.Wei(8)
	m.chain[key(1).Address()] = p
	if o, err := b.Offer(m.set.Snapshot(), n, m.now); err != nil || o.Sheet.Sequence != 2 || o.Unit != ledger.Wei(8) {
		t.Errorf("where none fits: sheet %d, %v, want the last", o.Sheet.Sequence, err)
	}
}

// What does not count costs nobody anything.
func TestNoOffer(t *testing.T) {
	m := newMarket(t)
	for n := byte(1); n <= 9; n++ {
		m.register(n, int(n))
	}
	exited := m.chain[key(5).Address()]
	exited.Exited = true
	m.chain[key(5).Address()] = exited
	delete(m.chain, key(6).Address())
	otherDomain := m.domain
	otherDomain.ChainID++
	foreign, err := ledger.Sheet{UnitPrice: unit, Models: []ledger.ModelPrice{{Model: "m"}}, ValidUntil: uint64(m.now.Unix()) + 9, ValidFrom: uint64(m.now.Unix())}.Sign(otherDomain, key(8))
	if err != nil {
		t.Fatal(err)
	}
	bent := m.sheet(9, 1, -1, 100, nil)
	bent[len(bent)-1] ^= 1
	for _, c := range []struct {
		name   string
		n      int
		pay    []directory.Pay
		sheets [][]byte
		want   error
	}{
		{"no place to pay", 1, nil, [][]byte{m.sheet(1, 1, -1, 100, nil)}, ErrElsewhere},
		{"another contract", 2, []directory.Pay{{ChainID: m.domain.ChainID, Contract: [20]byte{9}, Provider: key(2).Address()}}, [][]byte{m.sheet(2, 1, -1, 100, nil)}, ErrElsewhere},
		{"another chain", 3, []directory.Pay{{ChainID: 1, Contract: m.domain.Contract, Provider: key(3).Address()}}, [][]byte{m.sheet(3, 1, -1, 100, nil)}, ErrElsewhere},
		{"another's sheet", 4, []directory.Pay{m.pays(4)}, [][]byte{m.sheet(1, 1, -1, 100, nil)}, ErrNoSheet},
		{"has exited", 5, []directory.Pay{m.pays(5)}, [][]byte{m.sheet(5, 1, -1, 100, nil)}, ErrUnknown},
		{"is not registered", 6, []directory.Pay{m.pays(6)}, [][]byte{m.sheet(6, 1, -1, 100, nil)}, ErrUnknown},
		{"under another's name", 7, []directory.Pay{m.pays(1)}, [][]byte{m.sheet(1, 1, -1, 100, nil)}, ErrNotNamed},
		{"signed for another chain", 8, []directory.Pay{m.pays(8)}, [][]byte{foreign.Bytes()}, ErrNoSheet},
		{"bent", 9, []directory.Pay{m.pays(9)}, [][]byte{bent}, ErrNoSheet},
		{"nonsense", 10, []directory.Pay{m.pays(1)}, [][]byte{[]byte("prices")}, ErrNotNamed},
		{"no sheet", 11, []directory.Pay{m.pays(11)}, nil, ErrUnknown},
	} {
		n := m.add(c.n, c.pay, []string{"m"}, c.sheets...)
		if o, err := m.book().Offer(m.set.Snapshot(), n, m.now); !errors.Is(err, c.want) {
			t.Errorf("%s: %+v, %v, want %v", c.name, o, err, c.want)
		}
	}
	m.register(12, 12)
	token := m.sheet(12, 1, -1, 100, func(s *ledger.Sheet) { s.Asset = ledger.Address{1} })
	n := m.add(12, []directory.Pay{m.pays(12)}, []string{"m"}, token, []byte("prices"))
	if _, err := m.book().Offer(m.set.Snapshot(), n, m.now); !errors.Is(err, ErrNoSheet) {
		t.Errorf("in another currency: %v", err)
	}
	if o, err := NewBook(Config{Domain: m.domain, Asset: ledger.Address{1}, Chain: m.chain}).Offer(m.set.Snapshot(), n, m.now); err != nil || o.Sheet.Asset.IsZero() {
		t.Errorf("in a market of that currency: %v", err)
	}
	// A sheet that mirrors did not send counts for nothing, until it is there.
	lost := m.sheet(1, 5, -1, 100, nil)
	empty := directory.NewSet(m.w.World)
	n.Prices = []world.Hash{directory.SheetHash(lost)}
	if _, err := NewBook(Config{Domain: m.domain}).Offer(empty.Snapshot(), n, m.now); !errors.Is(err, ErrNoSheet) {
		t.Errorf("a sheet that is not there: %v", err)
	}
}

// Models are listed with what the cheapest asks, and without a price where
// somebody serves them free.
func TestModelsHavePrices(t *testing.T) {
	m := newMarket(t)
	m.now = time.Now() // what the router goes by
	for n := byte(1); n <= 3; n++ {
		m.register(n, int(n))
	}
	m.add(1, []directory.Pay{m.pays(1)}, []string{"m", "free", "unlisted"}, m.sheet(1, 2, -1, 3600, nil))
	m.add(2, []directory.Pay{m.pays(2)}, []string{"m"}, m.sheet(2, 1, -1, 3600, nil))
	m.add(3, []directory.Pay{m.pays(1)}, []string{"m"}, m.sheet(3, 1, -1, 3600, func(s *ledger.Sheet) { s.Models[0].Output = ledger.Wei(1) }))
	m.add(4, nil, []string{"free"})
	r := node.NewRouter(m.set, node.NewFailures(), func() error { return nil })
	r.Prices = m.book()
	for _, row := range r.Models() {
		switch {
		case row.ID != "m" && row.Price != nil:
			t.Errorf("%s costs %+v", row.ID, row.Price)
		case row.ID == "m" && (row.Price == nil || row.Price.Output != "400" || row.Price.Input != "100" || row.Price.Currency != "wei" || row.Price.Text != "100 wei in, 400 wei out, per million tokens"):
			t.Errorf("m costs %+v, want what the cheapest asks whose sheet counts", row.Price)
		}
	}
	token := ForPeople(ledger.ModelPrice{Input: ledger.Wei(1), Output: ledger.Wei(2)}, ledger.Address{1})
	if token.Currency != (ledger.Address{1}).String() || token.Text != "1 in, 2 out, per million tokens" {
		t.Errorf("in a token: %+v", token)
	}
	for asset, want := range map[ledger.Address]string{
		{}:  "0 wei in, 0 wei out, per million tokens, and 5 wei a request at least",
		{1}: "0 in, 0 out, per million tokens, and 5 a request at least",
	} {
		if p := ForPeople(ledger.ModelPrice{Minimum: ledger.Wei(5)}, asset); p.Text != want {
			t.Errorf("with a least fee alone: %q", p.Text)
		}
	}
}

// A Book keeps what it read of sheets that are in the directory, and no others.
func TestBookForgets(t *testing.T) {
	m := newMarket(t)
	m.register(1, 1)
	n := m.add(1, []directory.Pay{m.pays(1)}, []string{"m"}, m.sheet(1, 1, -1, 100, nil))
	b := m.book()
	for range 2 {
		if _, err := b.Offer(m.set.Snapshot(), n, m.now); err != nil || len(b.read) != 1 {
			t.Fatalf("%d kept, %v", len(b.read), err)
		}
	}
	_, _ = b.Offer(directory.NewSet(m.w.World).Snapshot(), n, m.now) // ErrNoSheet
	if len(b.read) != 0 {
		t.Errorf("%d kept of a directory that is gone", len(b.read))
	}
}

// An entry that names somebody's node makes it no node of that provider.
func TestSays(t *testing.T) {
	m := newMarket(t)
	m.register(2, 1)
	n := m.add(1, []directory.Pay{m.pays(1)}, []string{"m"})
	other := m.pays(2)
	other.ChainID++
	abroad := m.add(2, []directory.Pay{other}, []string{"m"})
	b := m.book()
	if !b.Says(n, key(1).Address()) || b.Says(n, key(2).Address()) || b.Says(abroad, key(2).Address()) {
		t.Error("who is paid for a node is not what the node says")
	}
}
