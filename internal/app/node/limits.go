package node

import "time"

const (
	// avoidFor is how long a node that did not answer is passed over where
	// there is a choice. Long enough for a restart, short enough that one bad
	// moment does not shift the world's load for long.
	avoidFor = 30 * time.Second

	// maxFailed bounds what is remembered of nodes that did not answer; beyond
	// it the world has another problem than our choice.
	maxFailed = 4096

	// likelyProviders is how many providers have a circuit ready before anyone
	// asks: the ones used last, as a person uses one or two models at a time.
	likelyProviders = 3

	// maxRecent is how many providers count as used lately.
	maxRecent = 8

	// linkQueue is how many new links may wait for the relay, which takes each
	// within microseconds; more are reset, and their clients try elsewhere.
	linkQueue = 256

	// circuitStreams and circuitPeerStreams bound the circuits a relay holds,
	// and those of one neighbour. A relay's neighbours are relays, which bring
	// many; half of all leaves room for others whatever one of them does.
	circuitStreams     = 8192
	circuitPeerStreams = circuitStreams / 2

	// missingWait is how long a relay waits for the descriptor of a node it was
	// to extend to and does not hold: a fetch from a seed takes a fraction.
	missingWait = 2 * time.Second

	// directoryStreams and directoryPeerStreams bound questions to a mirror that are
	// being answered. A node asks a few times in an epoch.
	directoryStreams     = 256
	directoryPeerStreams = 4

	// current is for how many epochs a directory that mirrors agreed on says of what
	// it does not list that it does not exist: its own, and the two that a root may
	// be used for after it.
	current = 3

	// clockBad is where a clock begins to break things: descriptors made by it
	// are refused by others (docs/spec/directory.md §2).
	clockBad = 30 * time.Second

	// clockAsk bounds a look at the clocks of all seeds, which answer from memory.
	clockAsk = 15 * time.Second

	// clockGrace is how long the others have once half of the seeds have answered:
	// some round trips, and a new link.
	clockGrace = 2 * time.Second

	// mirrorLimit bounds one question to a mirror or a signer: a bundle of a large
	// world over a slow line takes half of it.
	mirrorLimit = 60 * time.Second

	// signerStreams and signerPeerStreams bound the questions of directory
	// signers, of whom there are sixteen at most.
	signerStreams     = 64
	signerPeerStreams = 4

	// endingLimit bounds the wait for the other end of a stream of a circuit to
	// close, which it does when it has read what it was sent.
	endingLimit = 3 * time.Second
)
