package node

import (
	"errors"
	"fmt"
	"time"

	"github.com/culvert-net/culvert/circuit"
	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/mesh/directory/follow"
	"github.com/culvert-net/culvert/mesh/route"
	"github.com/culvert-net/culvert/mesh/world"
)

// What is shown to the person who waits for an answer: which part of the way is
// missing, with the aliases of nodes and without their addresses and keys.

// NoCircuit says why there is no circuit of so many hops, given an error of
// circuit.Client. The last hop is the provider: there is no way around it.
func NoCircuit(err error, hops int) string {
	if few, ok := errors.AsType[*route.TooFewRelaysError](err); ok {
		return TooFewRelays(few.Have, few.Need)
	}
	if hop, ok := errors.AsType[*circuit.HopError](err); ok {
		switch hop.Place {
		case hops:
			return fmt.Sprintf("the provider, %s, was not reached", hop.Name)
		case 1:
			return fmt.Sprintf("entry %s did not answer", hop.Name)
		}
		return fmt.Sprintf("hop %d, %s, was not reached", hop.Place, hop.Name)
	}
	switch {
	case errors.Is(err, circuit.ErrNoPath):
		return "there is no path of distinct relays"
	case errors.Is(err, circuit.ErrUnknownNode):
		return "the directory has no current descriptor of the provider"
	case errors.Is(err, circuit.ErrClosed):
		return "this bridge is stopping"
	}
	return "it broke off while it was built"
}

// TooFewRelays says that a circuit takes more relays than there are.
func TooFewRelays(have, need int) string {
	verb := "are"
	if have == 1 {
		verb = "is"
	}
	return fmt.Sprintf("%s %s known, a circuit takes %d", app.Count(have, "relay"), verb, need)
}

// Problem is why there is no newer directory, "" if all is well: what mirrors did,
// and what that may come from.
func Problem(s follow.Status) string {
	switch {
	case s.Forked != "":
		return s.Forked
	case s.Problem != "" && s.Clock != "":
		return s.Problem + ": " + s.Clock
	}
	return s.Problem
}

// NoDirectory is nil if the directory is there and current, so that what it
// does not list does not exist; else why it is not. A root may be used for two
// epochs after its own, and mirrors are asked in each.
func NoDirectory(s follow.Status, w *world.World, now time.Time) error {
	why := "no mirror has answered yet"
	if p := Problem(s); p != "" {
		why = p
	}
	age, agreed := s.Age(now)
	switch {
	case s.Nodes == 0:
		return errors.New("no directory yet: " + why)
	case agreed && age <= current*w.EpochLen():
		return nil
	case agreed:
		return fmt.Errorf("the directory is %v old: %s", age.Round(time.Second), why)
	}
	return errors.New("the directory is from an earlier run: " + why)
}
