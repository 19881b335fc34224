package circuit

import "time"

const (
	// batchBytes is how much of a link is read, processed and written at once.
	// One write per cell costs 5 to 10 times the throughput.
	batchBytes = 64 << 10

	// idleBytes is what a link that carries little holds for reading: a relay
	// keeps thousands of idle circuits, and two of these each.
	idleBytes = 2 << 10

	// maxReadBatches is how many readers of one relay or client may hold a large
	// buffer: 32 MiB. Others read 2 KiB at a time. A peer that sends four cells
	// and falls silent would otherwise turn each into 64 KiB.
	maxReadBatches = 512

	// stallTimeout is how long a link may take nothing. Both ends of a circuit
	// always read, whatever their users do, so a link that does not is dead or
	// holds a relay's memory on purpose.
	stallTimeout = time.Minute

	// lingerTimeout is how long a stream that was closed may wait for the
	// credit to send what was written before.
	lingerTimeout = time.Minute

	// maxStreams is how many streams a circuit carries at a time. A circuit is
	// one user's; more parallel requests than this take a second circuit.
	maxStreams = 8

	// initialCredit is how many DATA cells a stream may send before the reader
	// grants more: 64 cells are 29 KiB, several times what a local network has
	// on its way.
	initialCredit = 64

	// maxCredit bounds what all streams of a circuit may have been granted and
	// not used, in cells: 2,048 are 0.9 MiB, which is 9 MB/s at a round trip of
	// 100 ms, and what a client that stops reading can cost.
	maxCredit = 2048

	// SendQueue is how many bytes a stream's Write may be ahead of its credit.
	// Beyond, Write blocks, and so the source is no longer read.
	SendQueue = 32 << 10

	// createTimeout is how long a link may take to bring its CREATE: a peer
	// that opens links and says nothing holds one goroutine and no keys.
	createTimeout = 5 * time.Second

	// extendTimeout bounds a relay's dial and its wait for CREATED.
	extendTimeout = 10 * time.Second

	// buildTimeout bounds one step (CREATE or EXTEND) as its client sees it:
	// longer than extendTimeout, so that a relay's own verdict arrives first.
	buildTimeout = 12 * time.Second

	// estimateWindow is how many times an estimate goes by: builds of some
	// minutes of use, so that it follows the network within that.
	estimateWindow = 100

	// estimateLeast is how many it takes before they are believed.
	estimateLeast = 10

	// buildFirst is what a stem, or its extension to a provider, is expected to
	// take before enough were built: two or three round trips of a bad line.
	buildFirst = 750 * time.Millisecond

	// buildFloor keeps builds from being done twice for a time that nobody
	// notices: a second one costs three nodes a handshake each.
	buildFloor = 200 * time.Millisecond

	// buildCeiling is the longest that a build is waited for alone, however slow
	// the others were, and how long one that was outrun may go on.
	buildCeiling = 4 * time.Second

	// maxHedges is how many second builds a client has under way. When all of
	// the network is slow at once, all builds are, before the estimate knows.
	maxHedges = 4

	// pathLooks is how many proposals are looked at for one without relays that
	// keep others waiting.
	pathLooks = 8

	// pongFirst and pongFloor are what a PONG is expected to take before enough
	// came, and at least.
	pongFirst = 250 * time.Millisecond
	pongFloor = 50 * time.Millisecond

	// askAfter is how long after a stream was opened its circuit may be silent
	// before it is asked whether it lives. Short, because the request is not
	// answered yet and may go elsewhere; not at once, because then a PING would
	// go with every request.
	askAfter = 250 * time.Millisecond

	// suspectTrips and giveUpTrips are how many of the time that most PONGs take
	// one may take before its circuit, and others over the same relays, are not
	// used until they answered; and before its streams of which nothing was heard
	// fail, so that their requests may go elsewhere.
	suspectTrips = 2
	giveUpTrips  = 8

	// giveUpFloor is the least for the latter. A wireless link may be gone for a
	// second or two, and asking twice is asking two providers.
	giveUpFloor = 2 * time.Second

	// pingAfter is how long a circuit with open streams may bring nothing
	// before its client asks whether anyone is there.
	pingAfter = 2 * time.Second

	// pingIdle is the same for a circuit without streams, so that a ready one
	// that is found dead is not found by a request.
	pingIdle = 30 * time.Second

	// pongTimeout is how long the answer may take. A provider in a long
	// prefill answers at once: its circuit code waits for no model.
	pongTimeout = 10 * time.Second

	// readyStems is how many circuits of all but the last hop are kept ready.
	readyStems = 2

	// spareWithin: a circuit to a provider is made ready at a random moment in so
	// long after a group began to use that provider. Made at once, its CREATE
	// behind the group's first request would tell the provider that whoever
	// takes it next is the same person. Meanwhile another group takes a stem,
	// which costs it a round trip.
	spareWithin = 30 * time.Second

	// maxClean bounds all ready circuits, so that a long list of providers
	// does not become a crowd of circuits.
	maxClean = 12

	// maxCircuitRequests and maxCircuitAge retire a circuit: what one circuit
	// carries can be linked by its provider.
	maxCircuitRequests = 200
	maxCircuitAge      = 10 * time.Minute

	// idleGroup is how long a circuit that belongs to a group is kept without a
	// stream: a person's next message comes within minutes.
	idleGroup = 5 * time.Minute

	// maxIdleGroups bounds such circuits: with a group per conversation, batch
	// work would leave one behind for every request.
	maxIdleGroups = 32

	// dialAttempts is how many paths a Dial tries before it reports; a request
	// has not been sent anywhere while it does.
	dialAttempts = 4

	// idleTimeout is how long a circuit may bring nothing from its client's side
	// before a relay gives it up. A client PINGs every pingIdle.
	idleTimeout = 5 * time.Minute

	// maxPlace is the longest circuit any world may have.
	maxPlace = 5

	// maxRelayCircuits bounds what one relay carries. An idle circuit holds
	// some 16 KiB, so a full relay stays near 128 MiB.
	maxRelayCircuits = 8192

	// maxFarewells is how many links at a time are told that the relay is full.
	// Others are reset without a word, which says the same a little later.
	maxFarewells = 256

	// acceptQueue is how many streams may wait for a listener's Accept; more
	// are refused as busy.
	acceptQueue = 128
)
