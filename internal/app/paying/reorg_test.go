package paying

import (
	"context"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/culvert-net/culvert/internal/app/devchain"
	"github.com/culvert-net/culvert/internal/kv"
	"github.com/culvert-net/culvert/internal/kv/bolt"
	"github.com/culvert-net/culvert/ledger"
	"github.com/culvert-net/culvert/ledger/chain"
)

// onChain is a market whose gateway reads a chain.
type onChain struct {
	*market
	chain  *devchain.Chain
	at     chain.Config
	reader *chain.Reader
}

// records is a store of a writer.
type records struct{ kv.Store }

func (r records) Do(ctx context.Context, f func(kv.Tx) error) error { return r.Update(ctx, f) }

// account is a key that has money on the chain.
func account(t *testing.T, i int) *ledger.Key {
	t.Helper()
	h, err := ledger.ParseHash(devchain.Accounts()[i].Key) // of the same form
	if err != nil {
		t.Fatal(err)
	}
	k, err := ledger.KeyOfBytes(h)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// newOnChain has a provider that sells.
func newOnChain(t *testing.T, changes ...func(*market)) *onChain {
	t.Helper()
	c, err := devchain.Start(t.Context(), devchain.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	f := c.Ready()
	o := &onChain{chain: c, at: chain.Config{
		URL: f.RPC, Network: chain.DevNetwork(), Contract: f.Market.Address, Deployed: f.Market.Block, CodeHash: f.Market.CodeHash,
	}}
	if o.reader, err = chain.NewReader(o.at); err != nil {
		t.Fatal(err)
	}
	o.market = newMarket(t, append(changes, func(m *market) { m.provider, m.reader = account(t, 1), o.reader })...)
	o.send(o.provider, o.at.Calls().Register(o.provider.Address(), unit, []byte("d"), ledger.Hash{}))
	return o
}

// send has a transaction mined, in a block of its own, and read.
func (o *onChain) send(key *ledger.Key, call chain.Call) {
	o.Helper()
	s, err := bolt.Open(filepath.Join(o.TempDir(), "writer.db"))
	o.must(err)
	defer s.Close()
	cfg := o.at
	cfg.Store = records{s}
	w, err := chain.NewWriter(cfg, key)
	o.must(err)
	ctx, cancel := context.WithTimeout(o.Context(), time.Minute)
	defer cancel()
	id, err := w.Send(ctx, call)
	o.must(err)
	_, err = w.Wait(ctx, id, func(chain.Progress) {})
	o.must(err)
	o.must(o.reader.Sync(ctx))
}

// pays buys for everybody, on the chain.
func (o *onChain) pays(amount uint64) ledger.ChannelID {
	o.Helper()
	key, err := o.purses.Open(o.Context(), o.provider.Address(), "")
	o.must(err)
	funder := account(o.TB.(*testing.T), 2)
	o.send(funder, o.at.Calls().Buy(o.provider.Address(), key.Address(), ledger.Wei(amount), unit))
	id, err := o.channels.Hold(o.Context(), o.provider.Address(), key.Address(), funder.Address())
	o.must(err)
	c, ok := o.reader.Channel(id)
	if !ok {
		o.Fatal("the chain has no such channel")
	}
	o.contract.set(id, func(seen *ledger.Channel) { *seen = c })
	return id
}

// A purchase that the chain loses again covers nothing, though the bridge still
// believes in it: an answer that streams ends within seconds, with a result that is
// signed, nothing more is answered and nothing claimed. Bought anew, what was promised
// counts again, and so does the next request.
func TestDepositReorgedAway(t *testing.T) {
	t.Parallel()
	o := newOnChain(t, func(m *market) { m.window, m.context = 1_000_000, 1000 })
	id := o.pays(1_000_000)
	if text, _, err := o.ask(request(t, `,"stream":true`)); err != nil || strings.Count(text, "word ") != 20 {
		t.Fatalf("%q, %v", text, err)
	}
	o.settled()

	o.model.set(func(f *fakeModel) { f.tokens, f.pace = 1000, 20*time.Millisecond }) // 20 s, if nobody ends it
	resp, err := o.client.Do(t.Context(), request(t, `,"stream":true`))
	o.must(err)
	if _, err := io.ReadFull(resp.Body, make([]byte, 10)); err != nil {
		t.Fatal(err)
	}
	o.must(o.chain.Rewind(1, true))
	o.must(o.chain.Mine(1)) // another block has its number
	o.must(o.reader.Sync(t.Context()))
	if _, ok := o.reader.Channel(id); ok {
		t.Fatal("the purchase is still there")
	}
	text, err := io.ReadAll(resp.Body) // which ends with an error, as it was cut
	o.must(resp.Body.Close())
	if n := strings.Count(string(text), "word "); err == nil || n < 1 || n > 800 || !strings.Contains(string(text), "insufficient_quota") {
		t.Errorf("%d tokens, %v, and in the end %q", n, err, text[max(0, len(text)-300):])
	}
	o.settled()
	o.model.set(func(f *fakeModel) { f.tokens, f.pace = 20, 0 })
	refused := o.till.Counts().Refused
	if text, _, err := o.ask(request(t, "")); err == nil {
		t.Errorf("without a deposit the answer is %q", text)
	}
	o.settled()
	if c := o.till.Counts(); c.Refused == refused || c.Finished != 1 || c.Unpaid != 1 {
		t.Errorf("%+v", c)
	}
	if all, err := o.payee.Claims(t.Context(), time.Now()); err != nil || len(all) != 0 {
		t.Errorf("this would be claimed: %+v, %v", all, err)
	}

	if again := o.pays(1_000_000); again != id {
		t.Fatalf("another channel: %v", again)
	}
	o.eventually("a request is answered again", func() bool {
		text, _, err := o.ask(request(t, ""))
		return err == nil && strings.Count(text, "word ") == 20
	})
	o.settled()
	b, s := o.balance(id), o.books(id)
	if b.Spent != s.Finished || s.Voucher == nil || s.Voucher.Message.Cumulative.Less(s.Finished) {
		t.Errorf("our books are %+v, theirs %+v", b, s)
	}
	if all, err := o.payee.Claims(t.Context(), time.Now()); err != nil || len(all) != 1 || all[0].Unclaimed != s.Finished {
		t.Errorf("to be claimed: %+v, %v", all, err)
	}
}
