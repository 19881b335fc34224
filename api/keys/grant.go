package keys

import (
	"crypto/subtle"
	"fmt"
	"slices"
	"time"
)

// Grant is a key that was shown, and is good.
type Grant struct {
	ring *Ring
	e    *entry
}

// Key is the key's description. It must not be changed.
func (g *Grant) Key() *Key { return &g.e.record.Key }

// A RefusedError says why a key is not accepted, to whoever has shown it.
type RefusedError struct{ Reason string }

func (e *RefusedError) Error() string { return e.Reason }

// Find is the grant of a key, or a *RefusedError. It takes one hash and one
// look-up, however many keys there are.
func (r *Ring) Find(text string) (*Grant, error) {
	digest, err := Parse(text)
	if err != nil {
		return nil, &RefusedError{"is " + err.Error()}
	}
	// The map's own comparison shows at most how a hash begins that the caller
	// cannot choose; the whole of it is compared in constant time.
	e := r.found.Load().byDigest[digest]
	if e == nil || subtle.ConstantTimeCompare(e.record.Digest[:], digest[:]) != 1 {
		return nil, &RefusedError{"is not known here"}
	}
	if err := e.record.good(time.Now()); err != nil {
		return nil, err
	}
	return &Grant{ring: r, e: e}, nil
}

// good is nil, or a *RefusedError.
func (k *Key) good(now time.Time) error {
	switch {
	case !k.Revoked.IsZero():
		return &RefusedError{fmt.Sprintf("%q was revoked at %s", k.Name, k.Revoked.Format(time.RFC3339))}
	case !k.Expires.IsZero() && !now.Before(k.Expires):
		return &RefusedError{fmt.Sprintf("%q expired at %s", k.Name, k.Expires.Format(time.RFC3339))}
	}
	return nil
}

// Kind is what a limit counts.
type Kind string

// Kinds of limits.
const (
	Requests Kind = "requests"
	Tokens   Kind = "tokens"
	Spending Kind = "money"
)

// kinds are all there are.
var kinds = [...]Kind{Requests, Tokens, Spending}

// Limited is how many requests were refused since the start because a limit of
// each kind was used up.
func (r *Ring) Limited() map[Kind]uint64 {
	all := make(map[Kind]uint64, len(kinds))
	for i, kind := range kinds {
		all[kind] = r.limited[i].Load()
	}
	return all
}

// State is how far a limit is used.
type State struct {
	Kind      Kind
	Per       string // "minute", "day" or "month"
	Limit     int64
	Remaining int64         // never below 0
	Sum, Left Amount        // the same two, of money
	Reset     time.Duration // until the window ends
	Until     time.Time     // when that is
}

// A LimitError is a limit that is used up.
type LimitError struct {
	Key string // the key's name; "": nobody's
	State
}

func (e *LimitError) Error() string {
	switch {
	case e.Kind == Spending && e.Key == "":
		return fmt.Sprintf("programs without a key have spent their %s wei per %s", e.Sum, e.Per)
	case e.Kind == Spending:
		return fmt.Sprintf("key %q has spent its %s wei per %s", e.Key, e.Sum, e.Per)
	}
	return fmt.Sprintf("key %q has used its %d %s per %s", e.Key, e.Limit, e.Kind, e.Per)
}

// States is, for each kind that is limited, the limit that is nearest to being
// used up; of several that are, the one that stays so longest. Money is not among
// them: see Budget.
type States []State

// Admit counts a request, unless a limit is used up: then it counts nothing
// and returns a *LimitError. Tokens are counted when they are known (Used), so
// answers that are under way together may go beyond a limit of tokens; the
// next request does not. A key that was revoked since Find, while a body was
// read perhaps, is a *RefusedError.
func (g *Grant) Admit() (States, error) {
	now := time.Now()
	k := &g.ring.found.Load().byDigest[g.e.record.Digest].record.Key // keys are never removed
	if err := k.good(now); err != nil {
		return nil, err
	}
	u := g.e.use
	u.mu.Lock()
	u.usage.turn(now)
	states := k.states(&u.usage, now)
	for _, s := range states {
		if s.Remaining == 0 {
			u.mu.Unlock()
			g.ring.limited[slices.Index(kinds[:], s.Kind)].Add(1)
			return states, &LimitError{k.Name, s}
		}
	}
	for w := range u.usage {
		u.usage[w].Requests++
	}
	u.dirty = true
	states = k.states(&u.usage, now)
	u.mu.Unlock()
	g.ring.counted()
	return states, nil
}

// Used counts the tokens of a request that Admit has admitted.
func (g *Grant) Used(tokens int64) {
	tokens = max(0, min(tokens, MaxTokens))
	if tokens == 0 {
		return
	}
	u := g.e.use
	u.mu.Lock()
	u.usage.turn(time.Now())
	for w := range u.usage {
		u.usage[w].Tokens += tokens
	}
	u.dirty = true
	u.mu.Unlock()
	g.ring.counted()
}

// states compares usage with limits.
func (k *Key) states(u *Usage, now time.Time) States {
	var all States
	for _, kind := range []struct {
		kind  Kind
		limit Limit
		used  func(Used) int64
	}{
		{Requests, k.Requests, func(u Used) int64 { return u.Requests }},
		{Tokens, k.Tokens, func(u Used) int64 { return u.Tokens }},
	} {
		nearest, limited := State{}, false
		for w := range window(windows) {
			limit := kind.limit.of(w)
			if limit == 0 {
				continue
			}
			remaining := max(0, limit-kind.used(u[w]))
			if limited && remaining > nearest.Remaining {
				continue // windows come in the order of their length
			}
			end := w.end(now)
			nearest, limited = State{Kind: kind.kind, Per: w.String(), Limit: limit, Remaining: remaining, Reset: end.Sub(now), Until: end}, true
		}
		if limited {
			all = append(all, nearest)
		}
	}
	return all
}
