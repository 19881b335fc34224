package publish

import (
	"context"
	"errors"
	"slices"

	"github.com/culvert-net/culvert/mesh/directory"
	"github.com/culvert-net/culvert/mesh/directory/bundle"
	"github.com/culvert-net/culvert/mesh/world"
)

// explain puts an error into one of a closed list of texts: what a seed does may
// be shown anywhere, what it says may not.
func explain(err error) string {
	var r directory.Reason
	switch {
	case err == nil:
		return ""
	case errors.As(err, &r):
		return "refused: " + r.Error()
	case errors.Is(err, errStamp):
		return errStamp.Error()
	case errors.Is(err, errUnreachable):
		return "not reachable"
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer in time"
	case errors.Is(err, directory.ErrProtocol):
		return "not the directory protocol"
	}
	return "broke off, or this node could not be described"
}

// passes reports whether a refusal of the own set is over with the epoch, and so
// no reason not to run.
func passes(err error) bool {
	var r directory.Reason
	if !errors.As(err, &r) {
		return false
	}
	return r == directory.ReasonEquivocal || r == directory.ReasonChanges || r == directory.ReasonFull
}

// final reports whether it is of no use to send the same content again: it was
// taken, or refused for what it is.
func final(err error) bool {
	var r directory.Reason
	switch {
	case err == nil:
		return true
	case !errors.As(err, &r):
		return false
	}
	switch r {
	case directory.ReasonEpoch, directory.ReasonFull, directory.ReasonStamp:
		return false // clocks, other keys' epochs and stamps change
	}
	return true
}

// name is equal for equal contents, in whatever order.
func name(ds []world.Descriptor) world.Hash {
	var all [][]byte
	for i := range ds {
		all = append(all, ds[i].ID[:])
	}
	slices.SortFunc(all, slices.Compare)
	return bundle.LeafHash(slices.Concat(all...))
}
