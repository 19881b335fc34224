package directory

import "time"

// Bounds of what one node may put into everybody's directory.
const (
	// MaxDescriptor bounds one descriptor's canonical bytes: a well-connected
	// node with adapters takes about one of these four KiB.
	MaxDescriptor = 4 << 10

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

	// maxSkew is how much a publisher's clock may be ahead. It bounds for how
	// long before an epoch its descriptors are taken; a clock further off is
	// refused and tries again later. Short epochs allow a quarter of one.
	maxSkew = 30 * time.Second
)

// Bounds of the wire protocol.
const (
	// minDescriptor is the size of the smallest descriptor there is; counts of
	// descriptors are checked against it before anything is allocated.
	minDescriptor = 32 + 32 + 1 + 1 + 1 + 32 + 33 + 65

	// maxRequest holds the largest publication: every model of one key.
	maxRequest = maxModels*(MaxDescriptor+2) + 1<<10

	// batchSize is how much a server puts into a frame before it sends it:
	// enough to amortise a write, little enough for both ends' memory.
	batchSize = 64 << 10

	// maxResponse holds a batch that one more descriptor has just filled.
	maxResponse = batchSize + MaxDescriptor + 64

	// maxFetch bounds a whole answer: two epochs and the next one's beginning,
	// with room for framing.
	maxFetch = 3*maxEpochBytes + 1<<20
)

// Behaviour of a client.
const (
	// fanout is how many seeds are asked at a time: enough that one that hides
	// nodes is outvoted by union, few enough that the load stays bearable.
	fanout = 3

	// fetchTimeout bounds one fetch: a full set over a slow line takes half of it.
	fetchTimeout = 60 * time.Second

	// publishTimeout bounds one publication, which is a quarter MiB at most.
	publishTimeout = 15 * time.Second

	// firstRetry and lastRetry are the ends of the backoff while there is no
	// set: a user is waiting.
	firstRetry = 250 * time.Millisecond
	lastRetry  = 15 * time.Second

	// firstRefresh is the pause after the first good fetch; it doubles up to a
	// quarter of an epoch. A young process is often part of a young world, whose
	// other nodes appear in the next minutes.
	firstRefresh = 2 * time.Second

	// settle is how long seeds may fail before operators are told: nodes that
	// start together need a second or two to find each other.
	settle = 5 * time.Second

	// refreshEvery bounds how often a node that was asked for others it does not
	// hold fetches because of it: whoever asks must not set its pace.
	refreshEvery = 10 * time.Second

	// firstRepublish and lastRepublish are the ends of the backoff for seeds that
	// could not be told: nobody waits, but until then nobody new learns of us.
	firstRepublish = time.Second
	lastRepublish  = time.Minute

	// clockTick is how often the clock is looked at even if no epoch is due:
	// timers stand still while a machine sleeps, epochs do not.
	clockTick = 30 * time.Second

	// saveDelay lets a burst of publications end before the cache is written.
	saveDelay = time.Second

	// changeDelay lets a burst of changes to the own content end, since only
	// maxSeqs of them are allowed per epoch.
	changeDelay = time.Second
)

// keyGrace is how long an onion key outlives its not-after here, for circuits
// that were begun by a clock a little behind ours.
const keyGrace = time.Minute

// Bounds of the files.
const (
	// maxCacheFile bounds directory.db as its content is bounded by maxFetch.
	maxCacheFile = maxFetch + 1<<10

	// maxKeyFile bounds onion.keys, which holds onionEpochs keys and one more.
	maxKeyFile = 4 << 10
)
