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
	ID      Hash       // computed from Phrase, Rules and Charter
	Phrase  string     // normalised
	Rules   RuleBundle // checked
	Charter *Charter   // checked, its keys sorted; nil in a world without one

	// Founder is the Ed25519 key of the sole founder of a world without a
	// charter, as far as this node knows: it is not hashed. Zero: unknown.
	Founder [32]byte

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
	charter, err := checkCharter(w)
	if err != nil {
		return nil, err
	}
	id, of := WorldID(phrase, w.Rules.Hash()), "phrase and rules"
	if charter != nil {
		id, of = WorldIDWithCharter(phrase, w.Rules.Hash(), charter.Hash()), "phrase, rules and charter"
	}
	if !w.ID.IsZero() && w.ID != id {
		return nil, &FieldError{Field: "id", Problem: fmt.Sprintf(
			"%s make world %s, not %s; a changed rule is another world, so either undo the change or leave the id out",
			of, id.Short(), w.ID.Short())}
	}
	return &World{
		ID: id, Phrase: phrase, Rules: w.Rules, Charter: charter, Founder: w.Founder,
		Seeds: slices.Clone(w.Seeds), Mirrors: slices.Clone(w.Mirrors),
		Local: w.Local || w.Sandbox, Sandbox: w.Sandbox,
	}, nil
}

// checkCharter checks a world's charter, if it has one, and copies it with its
// keys in order.
func checkCharter(w World) (*Charter, error) {
	if w.Charter == nil {
		return nil, nil
	}
	if w.Founder != [32]byte{} {
		return nil, &FieldError{Field: "founder", Problem: "the founders of a world with a charter stand in the charter; leave this key out"}
	}
	if err := w.Charter.Check(w.Rules); err != nil {
		return nil, err
	}
	c := *w.Charter
	c.Founders, c.DirectorySigners = sortedKeys(c.Founders), sortedKeys(c.DirectorySigners)
	return &c, nil
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
