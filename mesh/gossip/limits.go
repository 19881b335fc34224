package gossip

import "time"

const (
	// bucket is what every frame is a multiple of: lengths then tell little of
	// what is inside.
	bucket = 256

	// maxFrame is how large a frame may be: a byte says how many buckets it has.
	maxFrame = 256 * bucket

	// maxSmall bounds messages of fixed form. The largest is a summary or a list
	// of pages, of less than 4 KiB.
	maxSmall = 4 << 10

	// maxEvents bounds one message of events, so that they are looked at, and a
	// bad one found, while the rest is on its way. One event has at most 16 KiB.
	maxEvents = 256 << 10

	// maxIDs is how many ids one session compares; with more, it takes the newest
	// pages and leaves the rest to the next session. At some 60 bytes each in
	// memory this is 16 MiB a session.
	maxIDs = 256 << 10

	// maxCells bounds coded cells, and lists of short ids, of one session: the
	// design's 8 MiB.
	maxCells = 8 << 20

	// cellBytes is about what a coded cell takes, with its part of the overhead.
	cellBytes = 14

	// listBytes is what the first coded cells take: no more of short ids than
	// that are sent as they are, which never has to be tried twice.
	listBytes = 320

	// maxWork is how many units of work a session may cost one side, a unit being
	// about a nanosecond on a slow core: the design's second of CPU. It is counted
	// and not measured, so that a busy machine drops nobody.
	maxWork = 1_000_000_000

	// What is counted: an id that is hashed to its short one and coded, a byte of
	// coded cells with all that is recovered from it, a byte of range messages.
	workID   = 800
	workCell = 100
	workByte = 60

	// maxTurn is how many bytes of events one side sends before it listens, and
	// maxWant how many it asks for at once: turns are few even over a slow path,
	// and a peer that goes away has cost no more than one.
	maxTurn = 4 << 20
	maxWant = 16 << 10

	// maxTurns bounds a session's turns: 64 of them carry 256 MiB.
	maxTurns = 64

	// maxRanges bounds one message of range reconciliation; how many there are,
	// and their sum, package recon bounds.
	maxRanges = 1 << 20

	// maxPages is how many pages a summary describes, two bytes each, so that the
	// logs of equal peers are found equal with less than 200 bytes. A log of more
	// epochs has larger pages.
	maxPages = 64

	// pageEpochs is how many epochs a page has at least.
	pageEpochs = 64

	// maxShift bounds how much larger pages are: 64 pages of 64 << 10 epochs of a
	// minute are seven years.
	maxShift = 10

	// maxRoster bounds a message of roster entries and maxRosterTurns how many
	// are sent: a node that was away for a year has some 365 to catch up with, of
	// some kilobytes each.
	maxRoster      = 1 << 20
	maxRosterTurns = 16

	// maxList bounds what one carrier sends, and maxCarriers their number.
	maxList     = 512 << 10
	maxCarriers = 8

	// idleTimeout is how long a peer may let us wait for a frame. It may be
	// verifying a turn of ours, some 13,000 signatures.
	idleTimeout = 20 * time.Second

	// partingTimeout is how long we try to tell a peer why a session ends.
	partingTimeout = time.Second

	// sessionTimeout bounds a whole session: a log of 100,000 events takes some
	// 15 s, and a slow path a multiple.
	sessionTimeout = 3 * time.Minute
)

const (
	// maxInbound and maxOutbound are how many sessions run at once.
	maxInbound  = 8
	maxOutbound = 4

	// maxGreeting is how many streams may be open whose peer has not shown yet
	// that it is a member.
	// One more ends the oldest.
	maxGreeting = 16
	// greetingTimeout is how long one may take in all: some round trips over a circuit.
	// A peer that is never quite silent would else stay for as long as a session.
	greetingTimeout = idleTimeout

	// maxRepeat is how often a partner is asked again at once because more was
	// left: at 256 MiB a session, a log of millions of events.
	maxRepeat = 16

	// openTimeout is how long a dial may take; over a circuit it is built first.
	openTimeout = 20 * time.Second

	// Rounds are a quarter of an epoch apart, within these: an epoch of a minute
	// must not make a storm of sessions, one of a week must not let news wait.
	minEvery = 15 * time.Second
	maxEvery = 5 * time.Minute

	// maxSpread is how long after an epoch's beginning the first round begins at
	// the latest: members' clocks agree better than that, and not all come at once.
	maxSpread = 5 * time.Second

	// settleMin and settleMax bound how long after a round that found a new roster
	// another one follows: others learn of it seconds later or earlier, and what is
	// pushed in between reaches only some.
	settleMin = 2 * time.Second
	settleMax = 5 * time.Second

	// shunnedBy members that close our sessions unheard, or one that does so
	// shunnedTimes, while nobody takes one, make a node say that it may have been
	// evicted. doubtAgain is when to ask again in between, so that it is known soon:
	// later than the backoff after two failures.
	shunnedBy    = 2
	shunnedTimes = 3
	doubtAgain   = 5 * time.Second

	// Per peer: sessions and bytes a minute, both ways. An honest member opens
	// one or two sessions a minute; a cold start is 30 MB and more, in one.
	peerSessions = 12
	peerBytes    = 64 << 20

	// maxPeers is how many peers are remembered; a world's members are fewer.
	maxPeers = 4096

	// Backoff doubles from backoffMin to backoffMax with each failure in a row.
	backoffMin = 2 * time.Second
	backoffMax = 10 * time.Minute

	// banTime is for what no honest program does: a body that is not what its id
	// says, cells that contradict themselves. It passes, since programs are mended.
	banTime = time.Hour

	// maxRefused is how many events that were refused are remembered, so as not
	// to be fetched or sent again in each session with whoever has them, and
	// maxRefusedPeer how many that one peer brought: some 130 bytes each, 8 MiB.
	maxRefused     = 64 << 10
	maxRefusedPeer = 16 << 10

	// maxUnwanted is how many of them a peer is told not to send: 8 bytes each, in
	// every session in which something differs.
	maxUnwanted = 16 << 10

	// peerRefused is how many bytes of events that our log refuses a peer may
	// bring in refusedPer, and leastRefused what one counts at least. An honest
	// peer has such events only when authors break their quota, each in some
	// thousands; a hostile one makes as many as it likes. All 40 liars among 200
	// members cost 45 kB/s together.
	//
	// Beyond it the peer is left alone for refusedRest at least, so that what
	// comes back of its share is worth a session.
	peerRefused  = 4 << 20
	leastRefused = 256
	refusedPer   = time.Hour
	refusedRest  = 5 * time.Minute
)

const (
	// maxUnclaimed is how many events a session takes while another one takes
	// much: news is not to wait, and costs little to have twice.
	maxUnclaimed = 32

	// staleShare: what others added since it was learned what is lacking may be a
	// fourth of that, else it is learned anew.
	staleShare = 4

	// stallTimeout is how long who brings much may bring nothing until others may
	// take over, and slowEvent what each event it brought adds for all: under 500
	// a second others may take over too. A message of events takes a tenth of a
	// second to verify.
	stallTimeout = 10 * time.Second
	slowEvent    = 2 * time.Millisecond
)

const (
	// maxBatch bounds one pushed message: what a Broadcaster carries at least. The
	// largest event fits three times.
	maxBatch = 63 << 10

	// batchDelay is how long a first event waits for others: they come in bursts,
	// and a second is what the world has to spread them.
	batchDelay = 100 * time.Millisecond

	// maxQueue bounds the events that wait, in bytes. Beyond it the oldest are
	// left to sync.
	maxQueue = 4 << 20

	// epochOverlap is how long the topics of two epochs are both listened to, and
	// rosterOverlap those of two generations.
	epochOverlap  = 30 * time.Second
	rosterOverlap = time.Minute

	// earTick is how often it is looked at which topics are due. It is well below
	// the overlaps, the shortest of which is 15 s.
	earTick = time.Second

	// What was said of late is said again to who comes to the topic, for echoFor,
	// as long as two members' news of a new generation may be apart; echoTimes at
	// most, and every echoEvery, so that those who come together are told together.
	// maxEcho bounds what is kept for it, in bytes.
	echoFor   = rosterOverlap
	echoTimes = 3
	echoEvery = 3 * time.Second
	maxEcho   = 256 << 10

	// replayWindow is how old a batch may be, or how far ahead: clocks that differ
	// by more have no epoch in common for long.
	replayWindow = 2 * time.Minute

	// maxSeen is how many batches are remembered twice over: 64 bytes each.
	maxSeen = 1 << 16
)
