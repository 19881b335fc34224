package directory

import "time"

// Bounds of what one node may put into everybody's directory.
const (
	// MaxDescriptor bounds one descriptor's canonical bytes: a well-connected
	// node with adapters takes about one of these four KiB.
	MaxDescriptor = 4 << 10

	// MaxSheet bounds one price sheet's bytes: that of a gateway with hundreds of
	// models.
	MaxSheet = 64 << 10

	// maxSheets bounds the price sheets of a bundle together: half of what
	// descriptors take. A sheet of one or two models has a few hundred bytes.
	maxSheets = 8 << 20

	// maxLines bounds contact lines of any kind, unknown ones included, so that
	// future kinds have room but a descriptor is no file store.
	maxLines = 64

	// maxLine bounds one contact line: the longest multiaddrs stay below it.
	maxLine = 512

	// maxAddrs bounds a node's addresses: what tries them all is kept waiting.
	maxAddrs = 16

	// maxCaps bounds cap: lines: there are a dozen kinds of capability.
	maxCaps = 16

	// maxOnion is the current and the previous onion key.
	maxOnion = 2

	// maxPrices is the current and the next price sheet.
	maxPrices = 2

	// maxPay bounds the places where a node is paid: a contract each on a few
	// chains.
	maxPay = 4

	// maxName bounds a node's name for itself, which is shown in tables.
	maxName = 32

	// maxModelID bounds a model's name, which is shown and typed by people.
	maxModelID = 256

	// maxModels bounds models per key: mesh.md gives the number.
	maxModels = 64

	// maxSeqs bounds how often a key may change its mind in one epoch: every
	// change is another copy of the set at everybody.
	maxSeqs = 4

	// lag is for how many epochs after its own a root may be used by clients that
	// get no newer one: two signers' meetings may fail before anybody is cut off.
	lag = 2

	// onionEpochs is for how many epochs an onion key is good, that in which it is
	// made included: a descriptor of epoch e stands in the roots of e and e+1, and
	// the latter may be used until e+1+lag has passed.
	onionEpochs = 1 + 1 + lag
)

// Bounds of the set, which a flood of made-up keys runs into.
const (
	// maxKeys bounds nodes per epoch: above the ten thousand that worlds are
	// simulated with.
	maxKeys = 16 << 10

	// maxEpochBytes bounds an epoch's descriptors: a KiB for each of maxKeys.
	maxEpochBytes = 16 << 20

	// maxHeldSheets bounds the price sheets a set holds: those of the bundles of two
	// epochs, and as much again for what changed meanwhile. Nodes that did not stand
	// in the epoch before share half of it.
	maxHeldSheets = 4 * maxSheets

	// maxSkew is how much a publisher's clock may be ahead. It bounds for how
	// long before an epoch its descriptors are taken; a clock further off is
	// refused and tries again later. Short epochs allow a quarter of one.
	maxSkew = 30 * time.Second
)

// keyGrace is how long an onion key outlives its not-after here, for circuits
// that were begun by a clock a little behind ours.
const keyGrace = time.Minute

// maxKeyFile bounds onion.keys, which holds onionEpochs keys and one more.
const maxKeyFile = 4 << 10
