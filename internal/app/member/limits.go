package member

import "time"

const (
	// joinStreams and joinPeerStreams bound requests to join whose streams are open at
	// once over links: more than maxAsking and maxJudged, which decide who is heard.
	joinStreams     = 64
	joinPeerStreams = 1

	// maxAsking is how many streams, over links and over circuits each, may be open
	// whose opener has not sent its request. One more ends the oldest.
	maxAsking = 16

	// askingLimit is how long one may take for that in all: some round trips over a
	// circuit, and a request of some kilobytes.
	askingLimit = 20 * time.Second

	// maxJudged is how many requests are judged at once: a ticket costs a fraction of a
	// second to check, and people join one by one.
	maxJudged = 8

	// joinLimit bounds one request, whose answer carries a whole roster.
	joinLimit = 30 * time.Second

	// joinAgain is the pause between two questions of somebody who was told to wait
	// for approvals, and between attempts to reach the inviter.
	joinAgain = 5 * time.Second

	// syncStreams and syncPeerStreams bound sessions that others open; package
	// gossip has its own, lower, bounds on those that get as far as to say who.
	syncStreams     = 64
	syncPeerStreams = 4

	// sealStreams and sealPeerStreams bound requests of other signers, each of which
	// may hold 32 MiB of ids: one reviews, one signs.
	sealStreams     = 8
	sealPeerStreams = 2

	// sealLimit bounds one, whose ids have to come over the link.
	sealLimit = time.Minute

	// lookBack is how many generations before a head that is not known entries are
	// sent: forks are found within hours, and rotations are two a day.
	lookBack = 16

	// upkeepEvery is how often a member looks whether something is due.
	upkeepEvery = 10 * time.Second

	// desertedAgain is how long after a round that began because push was left by all
	// another one may begin for that.
	desertedAgain = time.Minute

	// rulesEvery is how often it is looked whether a rule bundle became active, which
	// takes epochs.
	rulesEvery = time.Minute

	// pruneEvery is how often epochs beyond the horizon are looked for.
	pruneEvery = 10 * time.Minute

	// maxPage bounds the events of one page of a listing, and maxPageBytes their
	// size: a page must fit into the answer of the admin socket.
	maxPage      = 1000
	maxPageBytes = 4 << 20

	// descriptorPart is how many descriptors of the log are handed on at a time: what
	// a flood of them takes in memory, some 256 KiB.
	descriptorPart = 256
)
