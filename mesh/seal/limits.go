package seal

import "time"

const (
	// MaxIDs is how many events a seal names, as the log has it: 32 MiB of ids.
	MaxIDs = 1 << 20

	// MaxMessage bounds what signers send one another: all ids, and signatures.
	MaxMessage = MaxIDs*32 + 4<<10

	// maxDiffering is how many ids a signer names in which it differs. The rest is
	// named the next time.
	maxDiffering = 4 << 10

	// maxReviews is how often a proposer begins anew in one turn.
	maxReviews = 4

	// lookBack is how many epochs signers still seal: a day without a quorum in a
	// world with epochs of an hour.
	lookBack = 24

	// The grace period is half an epoch, within these: two rounds of sync, which
	// are at most 5 min apart.
	minGrace = 30 * time.Second
	maxGrace = 10 * time.Minute

	// A turn is a sixteenth of an epoch, within these: it must do for a request
	// with all ids, a round of sync, and that again.
	minTurn = 5 * time.Second
	maxTurn = time.Minute

	// patience is after how many laps of turns, in each of which signers talked,
	// they no longer insist on all that they hold: a sixteenth of it, and no less
	// than minSpared events, may then stay outside.
	patience   = 4
	sparedPart = 16
	minSpared  = 4

	// maxPause is how many laps, at most, signers wait before they propose an epoch
	// again of which nothing has changed. A draft may be 32 MiB.
	maxPause = 16

	// maxCarried is how many seals travel, the newest, and maxItems how many bytes
	// of them, half a list's limit; maxHints bounds the ids named with one.
	maxCarried = 128
	maxItems   = 384 << 10
	maxHints   = 2 << 10

	// maxProofs is of how many epochs proof of two seals is kept, for as long as the
	// world lasts: one is enough to know who lied, and each is some 7 KiB at most.
	maxProofs = 64
)
