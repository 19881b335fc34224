package rules

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/culvert-net/culvert/mesh/world"
)

// Endorsement is what one member says of a bundle from an epoch on.
type Endorsement struct {
	Event  world.Hash // of the log; decides between two of one author and epoch
	Epoch  uint64
	Author [32]byte
	Bundle world.Hash
	Weight float64 // 0 withdraws, 1 is whole support
}

// Voter is a member as far as this package is concerned.
type Voter struct {
	Key      [32]byte
	Operator string // keys of one operator have one voice
}

// Policy is what this node asks of a bundle.
type Policy struct {
	// Threshold is the share of the operators, each with its weight, that a
	// bundle needs: more than one half, or two bundles could have it at once.
	Threshold float64
	// Epochs is how many epochs in a row it needs it in.
	Epochs uint64
	// Lasts is for how many epochs an endorsement counts if it is not repeated,
	// the one it was made in included.
	Lasts uint64
}

// DefaultPolicy is two thirds of the operators over a day of hourly epochs.
func DefaultPolicy() Policy { return Policy{Threshold: 2. / 3, Epochs: 24, Lasts: 336} }

// Check names what is out of bounds.
func (p Policy) Check() error {
	switch {
	case !(p.Threshold > 0.5 && p.Threshold <= 1):
		return fmt.Errorf("threshold %v: it is more than 0.5, up to 1", p.Threshold)
	case p.Epochs < 1 || p.Epochs > MaxEpochs:
		return fmt.Errorf("epochs %d: 1 to %d", p.Epochs, MaxEpochs)
	case p.Lasts < 1 || p.Lasts > MaxEpochs:
		return fmt.Errorf("lasts %d: 1 to %d", p.Lasts, MaxEpochs)
	}
	return nil
}

// Standing is how a bundle stands at the end of an epoch.
type Standing struct {
	Bundle world.Hash
	Share  float64 // of the operators, 0 to 1, in the last epoch looked at
	For    uint64  // epochs in a row, up to the last, with enough of them
	Active bool    // For has reached the policy's Epochs
}

// Fold says how each bundle that anybody endorses stands at the end of epoch
// last, by share, then by hash. It looks at the policy's Epochs before it.
// voters gives the members of an epoch; an endorsement of somebody who was none
// counts nothing in it.
func Fold(all []Endorsement, last uint64, p Policy, voters func(epoch uint64) []Voter) ([]Standing, error) {
	if err := p.Check(); err != nil {
		return nil, fmt.Errorf("rules: %w", err)
	}
	said := index(all)
	first := last - min(last, p.Epochs-1)
	standings := make(map[world.Hash]*Standing)
	for epoch := first; ; epoch++ {
		shares := said.shares(epoch, p.Lasts, voters(epoch))
		for bundle := range shares {
			if standings[bundle] == nil {
				standings[bundle] = &Standing{Bundle: bundle}
			}
		}
		for bundle, s := range standings {
			s.Share = shares[bundle]
			if s.Share >= p.Threshold-rounding {
				s.For++
			} else {
				s.For = 0
			}
			s.Active = s.For >= p.Epochs
		}
		if epoch == last {
			break
		}
	}
	out := make([]Standing, 0, len(standings))
	for _, s := range standings {
		if s.Share > 0 || s.For > 0 {
			out = append(out, *s)
		}
	}
	slices.SortFunc(out, func(a, b Standing) int {
		return cmp.Or(cmp.Compare(b.Share, a.Share), bytes.Compare(a.Bundle[:], b.Bundle[:]))
	})
	return out, nil
}

// statements are endorsements by author, and within one by epoch.
type statements map[[32]byte][]Endorsement

// index sorts endorsements so that the last one before a moment is the one that
// counts. Of two for one bundle in one epoch the one with the larger id does:
// which came first differs from node to node.
func index(all []Endorsement) statements {
	by := make(statements)
	for _, e := range all {
		by[e.Author] = append(by[e.Author], e)
	}
	for _, list := range by {
		slices.SortFunc(list, func(a, b Endorsement) int {
			return cmp.Or(cmp.Compare(a.Epoch, b.Epoch), bytes.Compare(a.Event[:], b.Event[:]))
		})
	}
	return by
}

// shares are the shares of all bundles in an epoch.
func (s statements) shares(epoch, lasts uint64, voters []Voter) map[world.Hash]float64 {
	if len(voters) == 0 {
		return nil
	}
	// An operator says what the one of its keys says that supports a bundle
	// most: more keys give it no more than one voice.
	operators := make(map[string]map[world.Hash]float64)
	for _, v := range voters {
		name := v.name()
		if operators[name] == nil {
			operators[name] = make(map[world.Hash]float64)
		}
		for bundle, weight := range s.of(v.Key, epoch, lasts) {
			operators[name][bundle] = max(operators[name][bundle], weight)
		}
	}
	sums := make(map[world.Hash]float64)
	// Floats are summed in one order everywhere, or nodes would differ in the
	// last digit.
	for _, name := range slices.Sorted(maps.Keys(operators)) {
		said := operators[name]
		whole := 0.
		for _, bundle := range slices.SortedFunc(maps.Keys(said), func(a, b world.Hash) int { return bytes.Compare(a[:], b[:]) }) {
			whole += said[bundle]
		}
		for bundle, weight := range said {
			// Who supports several things wholly supports each in part: one voice
			// is one voice.
			sums[bundle] += weight / max(1, whole)
		}
	}
	for bundle := range sums {
		sums[bundle] /= float64(len(operators))
	}
	return sums
}

// name is what stands for the voter's operator. One without a tag is its own.
func (v Voter) name() string {
	if v.Operator == "" {
		return "\x00" + string(v.Key[:])
	}
	return strings.ToLower(v.Operator)
}

// of is what an author supports in an epoch, and how much.
func (s statements) of(author [32]byte, epoch, lasts uint64) map[world.Hash]float64 {
	out := make(map[world.Hash]float64)
	for _, e := range s[author] {
		if e.Epoch > epoch {
			break
		}
		if epoch-e.Epoch >= lasts || !(e.Weight > 0) {
			delete(out, e.Bundle)
			continue
		}
		out[e.Bundle] = min(1, e.Weight)
	}
	return out
}
