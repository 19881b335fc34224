package channel

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/culvert-net/culvert/internal/kv"
	"github.com/culvert-net/culvert/ledger"
)

// Contradiction is two final words of a provider about one round, which the
// contract takes its bond for: an honest one signs one only, whatever happens to it.
type Contradiction struct {
	At            time.Time
	Provider      ledger.Address
	Model         string
	First, Second ledger.Signed[ledger.Result]
}

// ErrNoContradiction says that two results are not what the contract takes a bond
// for.
var ErrNoContradiction = errors.New("these are not two different final results of one round, signed by one provider")

// Contradict checks two results by what is in them alone, and returns who signed
// both. Whether it is the provider of their channel, the contract knows.
func Contradict(d ledger.Domain, a, b ledger.Signed[ledger.Result]) (ledger.Address, error) {
	m, n := a.Message, b.Message
	if !m.Final || !n.Final || m.Channel != n.Channel || m.Epoch != n.Epoch || m.RoundID != n.RoundID || m == n {
		return ledger.Address{}, ErrNoContradiction
	}
	one, err := a.Signer(d)
	if err != nil {
		return ledger.Address{}, ErrNoContradiction
	}
	if other, err := b.Signer(d); err != nil || other != one {
		return ledger.Address{}, ErrNoContradiction
	}
	return one, nil
}

// words is a Contradiction as it is kept.
type words struct {
	at            uint64 // Unix milliseconds
	provider      ledger.Address
	model         string
	first, second ledger.Signed[ledger.Result]
}

func (w *words) visit(f fields) {
	f.version(1)
	f.u64(&w.at)
	f.fixed(w.provider[:])
	f.text(&w.model, ledger.MaxModelName)
	visitSigned(f, &w.first, resultBytes)
	visitSigned(f, &w.second, resultBytes)
}

func (w *words) contradiction() Contradiction {
	return Contradiction{timeOf(w.at), w.provider, w.model, w.first, w.second}
}

// Heard is for each result that a provider sends beside the one that ends a round:
// first is what it sent before about the same round, nil for what is in the books. If
// the two contradict each other, both are on the disk, as a dispute, when Heard
// returns: leave that provider. nil: they do not, it is of no round of ours, or it was
// heard before.
func (p *Payer) Heard(ctx context.Context, now time.Time, first *ledger.Signed[ledger.Result], second ledger.Signed[ledger.Result]) (d *Dispute, err error) {
	id := second.Message.RoundID
	err = p.Store.Do(ctx, func(tx kv.Tx) error {
		d = nil
		where, err := tx.Get(payerIDs, id[:])
		if errors.Is(err, kv.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		info, b, err := p.info(tx, where)
		if err != nil {
			return err
		}
		before := first
		if before == nil {
			before = b.result
		}
		if before == nil || before.Message.Channel != info.Channel {
			return nil
		}
		if signer, err := Contradict(p.Domain, *before, second); err != nil || signer != b.provider {
			return nil
		}
		// The first two are enough, and who signs a third fills no disk.
		if known, err := has(tx, payerWords, id[:]); err != nil || known {
			return err
		}
		d = &Dispute{now, b.id, b.provider, b.price.Model, TwoResults, maxAmount(before.Message.Cost, second.Message.Cost), info.Cost}
		w := &words{unixMilli(now), b.provider, b.price.Model, *before, second}
		if err := put(tx, payerWords, id[:], w); err != nil {
			return err
		}
		return put(tx, payerDisputes, newestFirst(now, b.id), &dispute{d.Reason, d.Provider, d.Model, d.Claimed, d.Paid})
	})
	if err != nil {
		return nil, fmt.Errorf("round %s: %w", id, err)
	}
	return d, nil
}

// Contradictions lists what providers have contradicted themselves in, the newest
// first.
func (p *Payer) Contradictions(ctx context.Context) ([]Contradiction, error) {
	var list []Contradiction
	err := p.Store.View(ctx, func(tx kv.Tx) error {
		list = nil
		return tx.Scan(payerWords, nil, func(_, value []byte) error {
			var w words
			if err := decode(value, &w); err != nil {
				return fmt.Errorf("%w: %w", kv.ErrDamaged, err)
			}
			list = append(list, w.contradiction())
			return nil
		})
	})
	slices.SortStableFunc(list, func(a, b Contradiction) int { return b.At.Compare(a.At) })
	return list, err
}

// Contradiction is that of a round; false: its provider said one thing only.
func (p *Payer) Contradiction(ctx context.Context, id ledger.RoundID) (c Contradiction, found bool, err error) {
	err = p.Store.View(ctx, func(tx kv.Tx) error {
		var w words
		found, err = get(tx, payerWords, id[:], &w)
		c = w.contradiction()
		return err
	})
	return c, found, err
}

// Says reports whether a result is the provider's word about the payment's round,
// and about its request.
func (m *Payment) Says(r ledger.Signed[ledger.Result]) bool {
	w := r.Message
	return w.Channel == m.at.id && w.Epoch == m.at.epoch && w.RoundID == m.round.id && w.RequestHash == m.round.requestHash && w.Final &&
		m.p.signers.Signed(m.round.provider, w.Digest(m.p.Domain), r.Signature)
}
