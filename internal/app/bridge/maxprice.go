package bridge

import (
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"

	"github.com/culvert-net/culvert/internal/config"
	"github.com/culvert-net/culvert/ledger"
	"github.com/culvert-net/culvert/mesh/directory"
)

// maxPrices is the most that is paid for a million tokens.
type maxPrices struct {
	all    *ledger.Amount // of models that are not named; nil: whatever
	models map[string]ledger.Amount
}

// errTooDear says that a provider asks for more than the owner pays.
var errTooDear = errors.New("above pay.max_price")

// maxPrices are max_price.
func (c *PayConfig) maxPrices() (out maxPrices, err error) {
	out.models = make(map[string]ledger.Amount)
	for _, text := range c.MaxPrice {
		// An amount has no "=", and a model's name may.
		i := strings.LastIndex(text, "=")
		model, amount := "", text
		if i >= 0 {
			model, amount = strings.TrimSpace(text[:i]), text[i+1:]
		}
		a, err := ledger.ParseAmount(strings.TrimSpace(amount))
		if err != nil {
			return out, config.At("max_price", fmt.Errorf("%q: %w; write it as \"2 gwei\", or for one model as \"MODEL = 2 gwei\"", text, err))
		}
		_, twice := out.models[model]
		switch {
		case i >= 0 && model == "":
			return out, config.At("max_price", fmt.Errorf("%q names no model; leave the = away for all of them", text))
		case twice, i < 0 && out.all != nil:
			return out, config.At("max_price", fmt.Errorf("%q: there are two for the same", text))
		case i < 0:
			out.all = &a
		default:
			out.models[model] = a
		}
	}
	return out, nil
}

// of is the most that is paid for a model; nil: whatever it costs.
func (p *maxPrices) of(model string) *ledger.Amount {
	if a, ok := p.models[model]; ok {
		return &a
	}
	return p.all
}

// leastTokens are what the least that a request costs is taken for as the price of:
// some hundred words. It is of one request and not of a million tokens, so that
// compared with their price it would be a way around that.
const leastTokens = 1000

// spread is the least that a request costs as a price of a million tokens.
func spread(least ledger.Amount) ledger.Amount {
	a, err := ledger.AmountOfBig(new(big.Int).Mul(least.Big(), big.NewInt(1_000_000/leastTokens)))
	if err != nil {
		return ledger.MaxAmount
	}
	return a
}

// check compares all that is priced by the million tokens, and the least that a
// request costs.
func (p *maxPrices) check(asked ledger.ModelPrice) error {
	most := p.of(asked.Model)
	if most == nil {
		return nil
	}
	for _, a := range []ledger.Amount{asked.Input, asked.Cached, asked.Output, asked.Reasoning} {
		if most.Less(a) {
			return fmt.Errorf("it asks for %s, %w of %s", a.Format(), errTooDear, most.Format())
		}
	}
	if most.Less(spread(asked.Minimum)) {
		return fmt.Errorf("it asks for %s for each request at least, as for %d tokens %w of %s", asked.Minimum.Format(), leastTokens, errTooDear, most.Format())
	}
	return nil
}

// tooDear says for people that all who serve a model ask for more than the owner
// pays; "" if that is not why.
func (m *money) tooDear(model string) string {
	most := m.most.of(model)
	if most == nil {
		return ""
	}
	snap, now := m.known.Snapshot(), time.Now()
	var least *ledger.ModelPrice
	var why error
	for _, n := range snap.Providers(model) {
		asked, err := m.asks(snap, n, model, now)
		if err != nil {
			continue
		}
		not := m.most.check(asked)
		if not == nil {
			return ""
		}
		if least == nil || asked.Output.Less(least.Output) {
			least, why = &asked, not
		}
	}
	const raise = "raise it in config.toml (bridge config path), if that is worth it to you"
	switch {
	case least == nil:
		return ""
	case !most.Less(least.Output): // for its answer it is not
		return fmt.Sprintf("the cheapest is too dear: %v; %s", why, raise)
	}
	return fmt.Sprintf("the cheapest asks for %s per million tokens of its answer, and pay.max_price is %s: %s",
		m.books.Chain.Money(least.Output), m.books.Chain.Money(*most), raise)
}

// asks is what a node asks for a model now.
func (m *money) asks(snap *directory.Snapshot, n directory.Node, model string, now time.Time) (ledger.ModelPrice, error) {
	o, err := m.prices.Offer(snap, n, now)
	if err != nil {
		return ledger.ModelPrice{}, err
	}
	return o.Model(model)
}
