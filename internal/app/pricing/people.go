package pricing

import (
	"github.com/culvert-net/culvert/api/backend"
	"github.com/culvert-net/culvert/ledger"
)

// currencyWei is what amounts in the chain's own currency count.
const currencyWei = "wei"

// ForPeople is a price as it is listed: amounts in wei, or in the smallest unit of
// a token whose address is the currency then.
func ForPeople(p ledger.ModelPrice, asset ledger.Address) backend.Price {
	out := backend.Price{
		Currency: currencyWei,
		Input:    p.Input.String(), Cached: p.Cached.String(), Output: p.Output.String(),
		Reason: p.Reasoning.String(), Image: p.Image.String(), Minimum: p.Minimum.String(),
		Text: p.Input.Format() + " in, " + p.Output.Format() + " out, per million tokens",
	}
	if !asset.IsZero() {
		out.Currency = asset.String()
		out.Text = out.Input + " in, " + out.Output + " out, per million tokens"
	}
	if !p.Minimum.IsZero() { // else who asks for nothing but that would seem free
		least := p.Minimum.Format()
		if !asset.IsZero() {
			least = out.Minimum
		}
		out.Text += ", and " + least + " a request at least"
	}
	return out
}

// Less implements node.Prices: by output, which most is paid for, then by input.
func (b *Book) Less(a, o backend.Price) bool {
	for _, pair := range [][2]string{{a.Output, o.Output}, {a.Input, o.Input}} {
		x, err1 := ledger.ParseAmount(pair[0])
		y, err2 := ledger.ParseAmount(pair[1])
		if err1 != nil || err2 != nil {
			return false // not one of ours
		}
		if c := x.Cmp(y); c != 0 {
			return c < 0
		}
	}
	return false
}
