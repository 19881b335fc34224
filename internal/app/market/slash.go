package market

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/ledger"
	"github.com/culvert-net/culvert/ledger/channel"
)

// Contradiction is two final results of one round that its provider signed, for
// people.
type Contradiction struct {
	At       time.Time      `json:"at"`
	Round    ledger.RoundID `json:"round"`
	Provider ledger.Address `json:"provider"`
	Model    string         `json:"model"`
	First    string         `json:"first"` // signed, in ledger's encoding, hexadecimal
	Second   string         `json:"second"`
	Bond     ledger.Amount  `json:"bond"`   // that is at stake now
	Reward   ledger.Amount  `json:"reward"` // of it, for who brings the two
}

// rewardPart of a bond is the reporter's. docs/spec/contract.md, slash.
const rewardPart = 10

// Contradictions are those that this client holds, the newest first.
func (m *Market) Contradictions(ctx context.Context) ([]Contradiction, error) {
	payer, err := m.payer(func(ledger.Address) (*ledger.Key, error) { return nil, errNoKey })
	if err != nil {
		return nil, err
	}
	all, err := payer.Contradictions(ctx)
	if err != nil {
		return nil, err
	}
	if err := m.books.Reader.Sync(ctx); err != nil {
		return nil, refused(err)
	}
	out := make([]Contradiction, len(all))
	for i, c := range all {
		bond, _ := m.stake(c.Provider)
		out[i] = Contradiction{
			c.At.UTC(), c.First.Message.RoundID, c.Provider, c.Model, hex.EncodeToString(c.First.Bytes()), hex.EncodeToString(c.Second.Bytes()),
			bond, part(bond),
		}
	}
	return out, nil
}

// stake is what a provider loses if it is slashed now, and until when it could.
func (m *Market) stake(provider ledger.Address) (bond ledger.Amount, until uint64) {
	p, _ := m.books.Reader.State().Pending.Provider(provider)
	if p.BondUntil <= m.now() {
		return ledger.Amount{}, p.BondUntil
	}
	return p.Bond, p.BondUntil
}

// part is what a reporter gets of a bond, as the contract divides.
func part(bond ledger.Amount) ledger.Amount {
	n := bond.Big()
	a, err := ledger.AmountOfBig(n.Div(n, big.NewInt(rewardPart)))
	if err != nil {
		panic("market: a part of an amount is one")
	}
	return a
}

// words are the two results that an order brings: those of a round of ours, or those
// that it names.
func (m *Market) words(ctx context.Context, h *hand, o Order) (a, b ledger.Signed[ledger.Result], err error) {
	if len(o.Results) == 2 {
		if a, err = decodeHex[ledger.Result](o.Results[0]); err == nil {
			b, err = decodeHex[ledger.Result](o.Results[1])
		}
		if err != nil {
			return a, b, app.Usage(fmt.Errorf("a result: %w", err))
		}
		return a, b, nil
	}
	c, found, err := h.payer.Contradiction(ctx, o.Round)
	if err == nil && !found {
		err = app.Usage(fmt.Errorf("of round %s there are no two results that contradict each other; bridge rounds shows of which there are", o.Round))
	}
	return c.First, c.Second, err
}

func (m *Market) planSlash(ctx context.Context, h *hand, o Order) (*plan, error) {
	a, b, err := m.words(ctx, h, o)
	if err != nil {
		return nil, err
	}
	signer, err := channel.Contradict(m.books.Chain.Domain(), a, b)
	if err != nil {
		return nil, app.Usage(fmt.Errorf("%w, for this chain and contract", err))
	}
	c, err := m.channel(a.Message.Channel)
	if err != nil {
		return nil, err
	}
	if c.Provider != signer {
		return nil, app.Usage(fmt.Errorf("both results are signed by %s, and the provider of channel %s is %s", signer, c.ID, c.Provider))
	}
	bond, until := m.stake(signer)
	switch {
	case bond.IsZero() && until != 0:
		return nil, app.Usage(fmt.Errorf("the bond of provider %s ended at %s, and nothing of it is at stake any more", m.address(signer), clock(until)))
	case bond.IsZero():
		return nil, app.Usage(fmt.Errorf("provider %s has no bond, or none any more, so there is nothing to take", m.address(signer)))
	}
	p := &plan{what: "Take the bond of provider " + m.address(signer), facts: [][2]string{}, call: m.books.Chain.Calls().Slash(a, b)}
	p.terms.Amount = part(bond)
	p.fact("Why", "it signed two different results of round %s", a.Message.RoundID)
	p.fact("Bond", "%s, at stake until %s", m.coin(bond), clock(until))
	p.fact("You get", "%s, a tenth; the rest is burnt", m.coin(p.terms.Amount))
	p.fact("Public", "the two results, for everybody, for ever: they name channel and round, and hold no word of request or answer")
	return p, nil
}

// SlashOrder is what takes a provider's bond by what somebody else has shown.
func (o *Opened) SlashOrder() (Order, error) {
	if o.Second == "" || o.Result == "" {
		return Order{}, errors.New("it holds no two results of the round: its provider said one thing only, as far as is known")
	}
	return Order{Do: Slash, Results: []string{o.Result, o.Second}}, nil
}
