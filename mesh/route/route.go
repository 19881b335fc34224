// Package route chooses: a provider for a request, and the relays of a stem.
//
// Callers take one directory.Snapshot per request, ask Provider for somebody
// who serves the model, and Stem for the relays to reach him through.
//
// It is pure: what it returns depends on its arguments only. It knows no clock,
// no network, no circuits and no past; who is to be left out, because he failed
// or must not see the request twice, is told to it. All choices are uniform, so
// that a choice tells an observer nothing about who chose.
//
// The functions may be called concurrently, each call with a random source of
// its own.
//
// It implements docs/spec/directory.md "Choosing".
package route

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/culvert-net/culvert/mesh/directory"
)

var (
	// ErrUnknownModel means that nobody in the directory serves the model.
	ErrUnknownModel = errors.New("no provider serves this model")

	// ErrNoProvider means that the model is served, but only by those excluded.
	ErrNoProvider = errors.New("no provider of this model is left")

	// ErrUnpaid means that those who are left of the model's providers ask to be
	// paid, and the asker cannot pay them. It is an ErrNoProvider.
	ErrUnpaid = fmt.Errorf("%w that can be paid", ErrNoProvider)

	// ErrTooFewRelays is what every *TooFewRelaysError is.
	ErrTooFewRelays = errors.New("too few relays")
)

// TooFewRelaysError says how many relays there were for a stem.
type TooFewRelaysError struct {
	Have int // that may be used
	Need int
}

func (e *TooFewRelaysError) Error() string {
	return fmt.Sprintf("too few relays: %d can be used and %d are needed", e.Have, e.Need)
}

// Is makes errors.Is(err, ErrTooFewRelays) true.
func (e *TooFewRelaysError) Is(target error) bool { return target == ErrTooFewRelays }

// Provider draws one of the nodes that serve model, all alike, leaving out those
// that exclude reports, and those that name a price sheet unless pays reports that
// they can be paid. Nil excludes nobody, and pays nobody. What is on a sheet is
// not known here.
func Provider(snap *directory.Snapshot, model string, exclude func(key [32]byte) bool, pays func(n directory.Node) bool, rnd *rand.Rand) (directory.Node, error) {
	all := snap.Providers(model)
	if len(all) == 0 {
		return directory.Node{}, ErrUnknownModel
	}
	left := usable(all, exclude)
	if len(left) == 0 {
		return directory.Node{}, ErrNoProvider
	}
	left = slices.DeleteFunc(left, func(i int) bool { return all[i].Priced() && (pays == nil || !pays(all[i])) })
	if len(left) == 0 {
		return directory.Node{}, ErrUnpaid
	}
	return all[left[rnd.IntN(len(left))]], nil
}

// Stem draws n different relays in the order of a circuit, entry first, every
// order of every choice alike, leaving out those that avoid reports; nil avoids
// nobody. Nodes that serve a model themselves are never in a stem: a provider
// that could be entry of a circuit to itself would learn who asks it what. The
// error is a *TooFewRelaysError.
func Stem(snap *directory.Snapshot, n int, avoid func(key [32]byte) bool, rnd *rand.Rand) ([]directory.Node, error) {
	if n <= 0 {
		return nil, nil
	}
	all := snap.Relays()
	left := usable(all, avoid)
	if len(left) < n {
		return nil, &TooFewRelaysError{Have: len(left), Need: n}
	}
	stem := make([]directory.Node, n)
	for i := range stem { // the first n steps of a Fisher–Yates shuffle
		j := i + rnd.IntN(len(left)-i)
		left[i], left[j] = left[j], left[i]
		stem[i] = all[left[i]]
	}
	return stem, nil
}

// usable are the places in nodes that may be chosen.
func usable(nodes []directory.Node, leaveOut func(key [32]byte) bool) []int {
	left := make([]int, 0, len(nodes))
	for i := range nodes {
		if leaveOut == nil || !leaveOut(nodes[i].Key) {
			left = append(left, i)
		}
	}
	return left
}
