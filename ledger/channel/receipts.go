package channel

import (
	"context"
	"fmt"
	"maps"
	"sync"

	"github.com/culvert-net/culvert/internal/kv"
	"github.com/culvert-net/culvert/ledger"
)

// receipts are what providers have said last of the vouchers they hold, as far as it
// is not in the books. It goes there with the next round of its channel, or by Flush
// with those of all others, and costs no commit of its own: who loses it sends a voucher
// twice, or counts on less than it is allowed, until the provider says it again.
type receipts struct {
	mu sync.Mutex
	of map[place]*Accepted // guarded by mu; what they point to is immutable
}

// note keeps a receipt. Of two the larger voucher counts, and what was allowed last.
func (r *receipts) note(at place, f Accepted) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if before := r.of[at]; before != nil {
		f.Cumulative = maxAmount(before.Cumulative, f.Cumulative)
	}
	r.of[at] = &f
}

// last is what was said last; nil: nothing that is not in the books.
func (r *receipts) last(at place) *Accepted {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.of[at]
}

// forget is for what is in the books by now, unless something newer was said.
func (r *receipts) forget(at place, f *Accepted) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.of[at] == f {
		delete(r.of, at)
	}
}

// drop is for what the provider has taken back.
func (r *receipts) drop(at place) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.of, at)
}

func (r *receipts) all() map[place]*Accepted {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.of)
}

// heard counts on a receipt; nil: on nothing new.
func (a *account) heard(f *Accepted) {
	if f == nil {
		return
	}
	a.acked = maxAmount(a.acked, ledger.MinAmount(f.Cumulative, a.promised))
	a.allowance = f.Allowance
}

// Accepted notes what the provider holds and allows. It need not be on the disk.
func (m *Payment) Accepted(ctx context.Context, f Accepted) error {
	beyond := false
	err := m.p.Store.View(ctx, func(tx kv.Tx) error {
		a, _, err := loadAccount(tx, m.at)
		beyond = err == nil && a.promised.Less(f.Cumulative)
		return err
	})
	if err == nil && beyond { // it was promised by what this store forgot, or never
		err = m.p.Store.Do(ctx, func(tx kv.Tx) error {
			a, _, err := loadAccount(tx, m.at)
			if err != nil {
				return err
			}
			a.mustSync = true
			return a.save(tx, m.at)
		})
	}
	if err != nil {
		return fmt.Errorf("round %s: %w", m.ID(), err)
	}
	m.p.receipts.note(m.at, f)
	return nil
}

// Flush writes what providers have said and is not on the disk, for whoever reads the
// books when this process has ended. Sweep does it, too.
func (p *Payer) Flush(ctx context.Context) error {
	all := p.receipts.all()
	if len(all) == 0 {
		return nil
	}
	err := p.Store.Do(ctx, func(tx kv.Tx) error {
		for at, f := range all {
			if p.receipts.last(at) != f { // it was taken back, or the next one counts
				continue
			}
			a, known, err := loadAccount(tx, at)
			if err != nil {
				return err
			}
			if !known {
				continue
			}
			a.heard(f)
			if err := a.save(tx, at); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("payer: receipts: %w", err)
	}
	for at, f := range all {
		p.receipts.forget(at, f)
	}
	return nil
}
