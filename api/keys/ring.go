package keys

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Store keeps keys. Whoever runs a Ring provides it.
type Store interface {
	// Load is every key, and what each has used as far as that was saved.
	Load(ctx context.Context) ([]Record, map[string]Usage, error)

	// SaveKey adds or replaces a key. On return it is durable.
	SaveKey(ctx context.Context, r *Record) error

	// SaveUsage replaces what keys, by id, have used: all or nothing. On return
	// it is durable.
	SaveUsage(ctx context.Context, used map[string]Usage) error
}

// Ring is the keys of a running program.
type Ring struct {
	store Store
	log   *slog.Logger

	found atomic.Pointer[index] // replaced whole; what it points to is never changed

	keyless *use // of those without a key; immutable

	limited [len(kinds)]atomic.Uint64 // requests that were refused, by kinds

	edit sync.Mutex // held by Add and Revoke, from looking to having stored

	unsaved atomic.Int64  // requests counted since the last save
	wake    chan struct{} // tells Run that a save is due, or that there is something to save

	// failing is set while usage cannot be saved. Owned by save's caller.
	failing bool
}

// index finds keys.
type index struct {
	byDigest map[Digest]*entry
	sorted   []*entry // by creation, then id
}

// entry is one key. Only use changes.
type entry struct {
	record  Record // immutable
	use     *use   // shared by an entry and what replaces it
	unsaved bool   // immutable: the store does not know that the key is revoked
	budget  *Budget
}

// entry makes one.
func (r *Ring) entry(rec Record, u *use, unsaved bool) *entry {
	return &entry{
		record: rec, use: u, unsaved: unsaved,
		budget: &Budget{ring: r, name: rec.Name, use: u, limit: rec.Money},
	}
}

// use is what a key has used.
type use struct {
	mu    sync.Mutex // guards what follows
	usage Usage
	dirty bool // not saved
}

// Open reads the keys of store. A nil log discards.
func Open(ctx context.Context, store Store, log *slog.Logger) (*Ring, error) {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	records, used, err := store.Load(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the keys: %w", err)
	}
	if len(records) > MaxKeys {
		return nil, fmt.Errorf("%d keys are stored; at most %d", len(records), MaxKeys)
	}
	r := &Ring{store: store, log: log, wake: make(chan struct{}, 1), keyless: &use{usage: used[keyless]}}
	i := index{byDigest: make(map[Digest]*entry, len(records))}
	for _, rec := range records {
		if i.byDigest[rec.Digest] != nil {
			return nil, fmt.Errorf("keys %s and %s are the same", i.byDigest[rec.Digest].record.ID, rec.ID)
		}
		i = i.with(r.entry(rec, &use{usage: used[rec.ID]}, false))
	}
	r.found.Store(&i)
	return r, nil
}

// with is i and e, in the place of the entry with its id if there is one.
func (i index) with(e *entry) index {
	next := index{byDigest: maps.Clone(i.byDigest), sorted: slices.Clone(i.sorted)}
	next.byDigest[e.record.Digest] = e
	order := func(a, b *entry) int {
		if c := a.record.Created.Compare(b.record.Created); c != 0 {
			return c
		}
		return strings.Compare(a.record.ID, b.record.ID)
	}
	at, there := slices.BinarySearchFunc(next.sorted, e, order)
	if there {
		next.sorted[at] = e
	} else {
		next.sorted = slices.Insert(next.sorted, at, e)
	}
	return next
}

// Errors of Add and Revoke.
var (
	ErrNameTaken = errors.New("there is a key of this name already; revoke it first, or choose another name")
	ErrUnknown   = errors.New("there is no such key; see: bridge keys list")
	ErrRevoked   = errors.New("the key is revoked already")
)

// Add makes a key, which is good from now on. The text is nowhere else.
func (r *Ring) Add(ctx context.Context, name string, rules Rules) (text string, k Key, err error) {
	if err := errors.Join(CheckName(name), rules.Check()); err != nil {
		return "", Key{}, err
	}
	now := time.Now().UTC().Truncate(time.Microsecond) // finer than keys are made
	if !rules.Expires.IsZero() && !rules.Expires.After(now) {
		return "", Key{}, fmt.Errorf("the key would have expired at %s already", rules.Expires.Format(time.RFC3339))
	}
	r.edit.Lock()
	defer r.edit.Unlock()
	r.catchUp(ctx)
	old := r.found.Load()
	if len(old.sorted) >= MaxKeys {
		return "", Key{}, fmt.Errorf("there are %d keys, the most there may be, revoked ones included", MaxKeys)
	}
	id := newID()
	for _, e := range old.sorted {
		if e.record.Name == name && (e.record.Revoked.IsZero() || e.unsaved) {
			return "", Key{}, ErrNameTaken
		}
		if e.record.ID == id {
			return "", Key{}, errors.New("the id that was drawn is taken, by chance; try again")
		}
	}
	text, digest := newKey()
	rules.Models = slices.Clone(rules.Models)
	rec := Record{Key: Key{ID: id, Name: name, Hint: hint(text), Created: now, Rules: rules}, Digest: digest}
	if err := r.store.SaveKey(ctx, &rec); err != nil {
		return "", Key{}, fmt.Errorf("storing the key: %w", err)
	}
	next := old.with(r.entry(rec, &use{}, false))
	r.found.Store(&next)
	return text, rec.Key, nil
}

// Revoke ends a key, by its id or name: no request with it is admitted after
// Revoke has returned, with or without an error from the store. Whoever revokes
// a key wants it to end now, and a full disk must not keep it alive; with an
// error it is as long as the program runs, or until the next Add or Revoke
// finds the store working. Requests that are running end by themselves.
func (r *Ring) Revoke(ctx context.Context, nameOrID string) (Key, error) {
	r.edit.Lock()
	defer r.edit.Unlock()
	old := r.found.Load()
	var hit *entry
	for _, e := range old.sorted {
		// Of several keys that had a name, one at most is not revoked.
		if e.record.ID == nameOrID || e.record.Name == nameOrID && (hit == nil || e.record.Revoked.IsZero()) {
			hit = e
		}
	}
	switch {
	case hit == nil:
		return Key{}, ErrUnknown
	case !hit.record.Revoked.IsZero() && !hit.unsaved:
		return hit.record.Key, ErrRevoked
	}
	rec := hit.record
	if rec.Revoked.IsZero() {
		rec.Revoked = time.Now().UTC().Truncate(time.Second)
	}
	err := r.store.SaveKey(ctx, &rec)
	next := old.with(r.entry(rec, hit.use, err != nil))
	r.found.Store(&next)
	if err != nil {
		return rec.Key, fmt.Errorf("the key is not accepted any more, but a restart would forget that; revoke it once more when this is mended: storing the key: %w", err)
	}
	r.catchUp(ctx)
	return rec.Key, nil
}

// catchUp stores what Revoke could not. Called with edit held.
func (r *Ring) catchUp(ctx context.Context) {
	for _, e := range r.found.Load().sorted {
		if e.unsaved && r.store.SaveKey(ctx, &e.record) == nil {
			next := r.found.Load().with(r.entry(e.record, e.use, false))
			r.found.Store(&next)
		}
	}
}

// Listed is a key and what it has used.
type Listed struct {
	Key
	Used map[string]Count `json:"used"` // by "minute", "day", "month"
}

// Count is an amount of use.
type Count struct {
	Requests int64  `json:"requests"`
	Tokens   int64  `json:"tokens"`
	Money    Amount `json:"money,omitzero"` // wei
}

// List is every key, the oldest first.
func (r *Ring) List() []Listed {
	now, sorted := time.Now(), r.found.Load().sorted
	all := make([]Listed, 0, len(sorted))
	for _, e := range sorted {
		l := Listed{Key: e.record.Key, Used: make(map[string]Count, windows)}
		e.use.mu.Lock()
		usage := e.use.usage
		e.use.mu.Unlock()
		usage.turn(now)
		for w, u := range usage {
			l.Used[window(w).String()] = Count{u.Requests, u.Tokens, u.Money}
		}
		all = append(all, l)
	}
	return all
}

// Required reports whether requests need a key. They do from the first key on,
// even if it is revoked: ending the last key must not open the door.
func (r *Ring) Required() bool { return len(r.found.Load().sorted) > 0 }

// Good reports whether k may be used now.
func (k *Key) Good() bool { return k.good(time.Now()) == nil }

// Run saves what keys have used until ctx ends, and then once more.
func (r *Ring) Run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), saveTime)
			defer cancel()
			return r.save(last)
		case <-r.wake:
		}
		// Something was counted. More may come until it is written.
		timer := time.NewTimer(SaveEvery)
		for due := false; !due && r.unsaved.Load() < saveAfter; {
			select {
			case <-timer.C:
				due = true
			case <-ctx.Done():
				due = true
			case <-r.wake:
			}
		}
		timer.Stop()
		if ctx.Err() == nil {
			r.report(r.save(ctx))
		}
	}
}

// report logs that usage cannot be saved, once. Limits hold all the same as
// long as the program runs, so requests go on.
func (r *Ring) report(err error) {
	if err != nil && !r.failing {
		r.log.Error("what keys have used cannot be saved, and would be forgotten by a restart", "err", err)
	}
	if err == nil && r.failing {
		r.log.Info("what keys have used is saved again")
	}
	r.failing = err != nil
}

// save writes what was counted since the last time.
func (r *Ring) save(ctx context.Context) error {
	r.unsaved.Store(0)
	all := make(map[string]Usage)
	var dirty []*use
	take := func(id string, u *use) {
		u.mu.Lock()
		defer u.mu.Unlock()
		if u.dirty {
			u.dirty = false
			all[id] = u.usage
			dirty = append(dirty, u)
		}
	}
	take(keyless, r.keyless)
	for _, e := range r.found.Load().sorted {
		take(e.record.ID, e.use)
	}
	if len(all) == 0 {
		return nil
	}
	err := r.store.SaveUsage(ctx, all)
	if err == nil {
		return nil
	}
	for _, u := range dirty {
		u.mu.Lock()
		u.dirty = true
		u.mu.Unlock()
	}
	r.counted() // to try again
	return fmt.Errorf("saving what keys have used: %w", err)
}

// counted tells Run that there is something to save. It never waits.
func (r *Ring) counted() {
	if n := r.unsaved.Add(1); n == 1 || n >= saveAfter {
		select {
		case r.wake <- struct{}{}:
		default:
		}
	}
}
