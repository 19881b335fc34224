package world

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"time"
)

// World is one overlay network as a node knows it. It is immutable after New
// or Load.
type World struct {
	ID     Hash       // computed from Phrase and Rules
	Phrase string     // normalised
	Rules  RuleBundle // checked

	// Seeds are first contacts: multiaddrs that end in /p2p/<peer id>.
	Seeds []string
	// Mirrors serve the directory too, in the same form.
	Mirrors []string

	// Local says that nodes may have private addresses. A sandbox's always may.
	Local bool
	// Sandbox allows circuits of one or two hops and the mock runner, and in
	// turn demands that every seed and mirror is on loopback.
	Sandbox bool
}

// New completes and checks a world: it normalises the phrase, computes the id
// (a given one must be right) and refuses what Load would refuse.
func New(w World) (*World, error) {
	phrase, err := NormalizePhrase(w.Phrase)
	if err != nil {
		return nil, &FieldError{Field: "phrase", Problem: err.Error()}
	}
	if err := w.Rules.Check(w.Sandbox); err != nil {
		return nil, err
	}
	if err := checkAddrs("seeds", w.Seeds, w.Sandbox); err != nil {
		return nil, err
	}
	if err := checkAddrs("mirrors", w.Mirrors, w.Sandbox); err != nil {
		return nil, err
	}
	id := WorldID(phrase, w.Rules.Hash())
	if !w.ID.IsZero() && w.ID != id {
		return nil, &FieldError{Field: "id", Problem: fmt.Sprintf(
			"phrase and rules make world %s, not %s; a changed rule is another world, so either undo the change or leave the id out",
			id.Short(), w.ID.Short())}
	}
	return &World{
		ID: id, Phrase: phrase, Rules: w.Rules,
		Seeds: slices.Clone(w.Seeds), Mirrors: slices.Clone(w.Mirrors),
		Local: w.Local || w.Sandbox, Sandbox: w.Sandbox,
	}, nil
}

// checkAddrs checks a list of first contacts, naming the one that is wrong.
func checkAddrs(field string, addrs []string, sandbox bool) error {
	if len(addrs) > MaxAddrs {
		return &FieldError{Field: field, Problem: fmt.Sprintf("%d addresses; at most %d are allowed", len(addrs), MaxAddrs)}
	}
	for i, s := range addrs {
		a, err := ParseAddr(s)
		switch {
		case err != nil:
		case !a.HasKey:
			err = errors.New("it does not end in /p2p/<peer id>, so anybody could answer there")
		case sandbox && !a.Loopback:
			err = errors.New("in a world with sandbox = true every address is on loopback (/ip4/127.…)")
		case slices.Contains(addrs[:i], s):
			err = errors.New("it is listed twice")
		}
		if err != nil {
			return &FieldError{Field: fmt.Sprintf("%s[%d]", field, i), Problem: err.Error()}
		}
	}
	return nil
}

// EpochLen is how long an epoch lasts.
func (w *World) EpochLen() time.Duration {
	return time.Duration(w.Rules.EpochLenMS) * time.Millisecond
}

// Epoch is the number of the epoch that t is in. Times before 1970 are in 0.
func (w *World) Epoch(t time.Time) uint64 {
	return uint64(max(0, t.UnixMilli())) / w.Rules.EpochLenMS
}

// EpochStart is the moment epoch e begins. Numbers so large that no clock
// reaches them, which a message may carry, give the last moment there is.
func (w *World) EpochStart(e uint64) time.Time {
	if e > math.MaxInt64/w.Rules.EpochLenMS {
		return time.UnixMilli(math.MaxInt64).UTC()
	}
	return time.UnixMilli(int64(e * w.Rules.EpochLenMS)).UTC()
}
