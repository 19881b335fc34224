package market

import (
	"errors"
	"reflect"
	"testing"

	"github.com/culvert-net/culvert/internal/kv"
	"github.com/culvert-net/culvert/ledger"
)

func someRecords() []*record {
	return []*record{
		{Label: "exit 00", Order: Order{Do: Exit}, At: 1},
		{
			Label: "buy 0011223344556677", Order: Order{Do: Buy, Provider: ledger.Address{1}, Account: "key_a", Tokens: 7, MaxPrice: ledger.Wei(9)},
			Terms: Terms{Amount: ledger.Wei(8), MaxPrice: ledger.Wei(9), MaxFee: ledger.Wei(1)}, Channel: ledger.ChannelID{3}, At: 1 << 40, Sent: true, Number: 12,
		},
		{Label: "register 1", Order: Order{Do: Register}, Terms: Terms{Descriptor: []byte("node:00\n"), Price: ledger.MaxAmount, Payout: ledger.Address{19: 1}}},
	}
}

func TestRecords(t *testing.T) {
	for _, r := range someRecords() {
		b, err := r.encode()
		if err != nil {
			t.Fatal(err)
		}
		got, err := decodeRecord(b)
		if err != nil || !reflect.DeepEqual(got, r) {
			t.Errorf("%+v became %+v, %v", r, got, err)
		}
		for _, bad := range [][]byte{nil, b[1:], append([]byte{2}, b[1:]...), b[:len(b)-1], append(b, '{')} {
			if _, err := decodeRecord(bad); !errors.Is(err, kv.ErrDamaged) {
				t.Errorf("%q is read: %v", bad, err)
			}
		}
	}
}

// What is asked for is the same order whatever price is agreed to, and another one
// if anything else differs.
func TestOrdersAreApart(t *testing.T) {
	base := Order{Do: Buy, Provider: ledger.Address{1}, Amount: ledger.Wei(5)}
	same := base
	same.MaxPrice = ledger.Wei(9)
	if base.key() != same.key() {
		t.Error("a price makes it another order")
	}
	seen := map[[32]byte]Order{base.key(): base}
	for _, change := range []func(*Order){
		func(o *Order) { o.Do = TopUp },
		func(o *Order) { o.Provider = ledger.Address{2} },
		func(o *Order) { o.Account = "key_a" },
		func(o *Order) { o.Channel = ledger.ChannelID{1} },
		func(o *Order) { o.Amount = ledger.Wei(6) },
		func(o *Order) { o.Tokens = 5 },
		func(o *Order) { o.Payout = ledger.Address{1} },
		func(o *Order) { o.Price = ledger.Wei(1) },
		func(o *Order) { o.Content = ledger.Hash{1} },
		func(o *Order) { o.To = ledger.Address{1} },
		func(o *Order) { o.Days = 1 },
	} {
		o := base
		change(&o)
		if other, there := seen[o.key()]; there {
			t.Errorf("%+v is the same order as %+v", o, other)
		}
		seen[o.key()] = o
	}
}

func FuzzRecord(f *testing.F) {
	for _, r := range someRecords() {
		b, err := r.encode()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := decodeRecord(b)
		if err != nil {
			return
		}
		again, err := r.encode()
		if err != nil {
			t.Skip() // JSON of strangers may grow by escapes, beyond the limit
		}
		if back, err := decodeRecord(again); err != nil || !reflect.DeepEqual(back, r) {
			t.Errorf("%q is read as %+v, and that as %+v, %v", b, r, back, err)
		}
	})
}

func TestListing(t *testing.T) {
	d := Described{Nodes: []string{"node:aa"}, Sheets: []string{"bb"}, Endpoints: []string{"/ip4/1.2.3.4/tcp/5"}, Models: []string{"m", "evil\nnode:cc"}}
	for i := range 400 {
		d.Models = append(d.Models, "model-"+string(rune('a'+i%26)))
	}
	text := d.Descriptor()
	if len(text) > maxDescriptor {
		t.Errorf("%d bytes", len(text))
	}
	all := listing(ledger.Provider{Descriptor: text})
	if len(all.Nodes) != 1 || all.Nodes[0] != "aa" || len(all.At) != 1 || all.At[0] != "/ip4/1.2.3.4/tcp/5" || len(all.Models) < 200 || all.Models[0].Model != "m" {
		t.Errorf("a long descriptor has %d models, nodes %q at %q", len(all.Models), all.Nodes, all.At)
	}
	l := listing(ledger.Provider{Descriptor: []byte("model:\x1b[31m\nother\nword:x\nmodel:\nmodel:q")})
	if len(l.Models) != 1 || l.Models[0].Model != "q" {
		t.Errorf("what cannot be shown is %+v", l)
	}
}
