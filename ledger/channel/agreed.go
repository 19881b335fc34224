package channel

import (
	"errors"
	"fmt"
	"math/big"

	"github.com/culvert-net/culvert/internal/kv"
	"github.com/culvert-net/culvert/ledger"
)

// ErrPrice says that a provider asks for more than it did when its channel was first
// used for the model after the last purchase.
var ErrPrice = errors.New("the provider asks for more than when the channel was bought; buy again to agree to it")

// agreed is what the first round of a model cost since the last purchase. The unit
// price, which the contract locks, does not keep a provider from asking for more on
// its next sheet at the same unit price.
type agreed struct {
	price  ledger.ModelPrice
	unit   ledger.Amount
	locked ledger.Amount
}

func (g *agreed) visit(f fields) {
	f.version(1)
	visitPrice(f, &g.price)
	f.amount(&g.unit)
	f.amount(&g.locked)
}

// agree refuses a round that costs more than what was agreed to, in any part.
func agree(tx kv.Tx, at place, r *bought) error {
	key := at.with([]byte(r.price.Model)...)
	now := agreed{r.price, r.unit, r.locked}
	var before agreed
	known, err := get(tx, payerPrices, key, &before)
	if err != nil {
		return err
	}
	if !known || before.locked != now.locked { // another price is locked by a purchase
		return put(tx, payerPrices, key, &now)
	}
	for i, part := range now.parts() {
		if before.parts()[i].Cmp(part) < 0 {
			return fmt.Errorf("model %q: %w", r.price.Model, ErrPrice)
		}
	}
	return nil
}

// parts are the prices as they are charged on the channel.
func (g *agreed) parts() (parts [6]*big.Rat) {
	scale := new(big.Rat).SetFrac(ledger.MinAmount(g.locked, g.unit).Big(), g.unit.Big()) // no sheet is made for nothing
	for i, a := range []ledger.Amount{g.price.Input, g.price.Cached, g.price.Output, g.price.Reasoning, g.price.Image, g.price.Minimum} {
		parts[i] = new(big.Rat).SetInt(a.Big())
		parts[i].Mul(parts[i], scale)
	}
	return parts
}

// forgetPrices makes the next round of each model the one whose price is agreed to.
func forgetPrices(tx kv.Tx, id ledger.ChannelID) error {
	var keys [][]byte
	err := tx.Scan(payerPrices, id[:], func(key, _ []byte) error {
		keys = append(keys, key)
		return nil
	})
	for _, key := range keys {
		err = errors.Join(err, tx.Delete(payerPrices, key))
	}
	return err
}
