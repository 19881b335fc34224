package mirror

import (
	"github.com/culvert-net/culvert/mesh/directory"
	"github.com/culvert-net/culvert/mesh/directory/bundle"
)

const (
	// keep is how many bundles are kept: the newest, and those that clients may
	// still use and want the next from.
	keep = 4

	// maxRoots bounds the roots in an answer: those of the bundles kept.
	maxRoots = keep

	// maxModels is how many descriptors one publication may have: those of a key.
	maxModels = 64

	// maxSheets is how many price sheets one publication may have: the current and
	// the next of a key.
	maxSheets = 2

	// maxStamp bounds a ticket with the longest anchor there may be.
	maxStamp = 256

	// maxRequest holds the largest publication: every model of one key, and its
	// price sheets.
	maxRequest = maxModels*(directory.MaxDescriptor+2) + maxSheets*(directory.MaxSheet+3) + maxStamp + 64

	// partSize is how much a mirror puts into a frame before it sends it: enough
	// to amortise a write, little enough for both ends' memory.
	partSize = 64 << 10

	// maxResponse holds a part that one more leaf has just filled. Roots with the
	// signatures of all signers, and a proof, are less than half of it.
	maxResponse = partSize + bundle.MaxLeaf + 64

	// maxAnswer bounds a whole answer: a bundle, and the places of all that left.
	maxAnswer = bundle.MaxFile + 5*bundle.MaxLeaves

	// maxRemoved is how many places of leaves that left go into one frame.
	maxRemoved = partSize / 5

	// maxSeenFile bounds the content of roots.db: a root and a proof.
	maxSeenFile = 8 << 10
)
