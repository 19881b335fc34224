package keys

import (
	"slices"
	"time"
)

// Budget is the money that a key, or everybody who has none, may spend.
type Budget struct {
	ring  *Ring
	name  string // of the key; "": of nobody
	use   *use
	limit Money
}

// keyless is under which id the store has what is spent without a key. No key
// has it: theirs begin otherwise.
const keyless = "keyless"

// Budget is the key's own.
func (g *Grant) Budget() *Budget { return g.e.budget }

// Keyless is the budget of all who come without a key, where none is needed.
func (r *Ring) Keyless(limit Money) *Budget {
	return &Budget{ring: r, use: r.keyless, limit: limit}
}

// Afford returns nil if something may be spent, else a *LimitError. What a
// request costs is known when it is over, so one may go beyond a limit by its own
// cost, and several that are under way together by theirs; the next one does not
// begin.
func (b *Budget) Afford() error {
	if b.limit == (Money{}) {
		return nil
	}
	now := time.Now()
	b.use.mu.Lock()
	defer b.use.mu.Unlock()
	b.use.usage.turn(now)
	nearest, limited := State{}, false
	for w := range window(windows) {
		limit := b.limit.of(w)
		if limit.IsZero() {
			continue
		}
		left := limit.less(b.use.usage[w].Money)
		if limited && left.Compare(nearest.Left) > 0 {
			continue // windows come in the order of their length
		}
		end := w.end(now)
		nearest, limited = State{Kind: Spending, Per: w.String(), Sum: limit, Left: left, Reset: end.Sub(now), Until: end}, true
	}
	if !limited || !nearest.Left.IsZero() {
		return nil
	}
	b.ring.limited[slices.Index(kinds[:], Spending)].Add(1)
	return &LimitError{b.name, nearest}
}

// Spent counts what a request has cost, a decimal number of wei. One that is none
// is counted as nothing, and logged: it comes from who pays on this machine.
func (b *Budget) Spent(cost string) {
	sum, err := ParseAmount(cost)
	if err != nil {
		b.ring.log.Error("what a request has cost was not counted for its key", "key", b.name, "err", err)
		return
	}
	if sum.IsZero() {
		return
	}
	b.use.mu.Lock()
	b.use.usage.turn(time.Now())
	for w := range b.use.usage {
		b.use.usage[w].Money = b.use.usage[w].Money.add(sum)
	}
	b.use.dirty = true
	b.use.mu.Unlock()
	b.ring.counted()
}
