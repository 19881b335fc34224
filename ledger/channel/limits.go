package channel

import "time"

const (
	// Window is how far a sequence number may lie above the lowest that is not
	// finished: more rounds at a time than one payer has, and few enough to look
	// through at each admission.
	Window = 1024

	// Jump is how far the counters of a payer move whose store was restored:
	// more rounds than a copy can be old, and few enough to do it a million
	// million times.
	Jump = 1 << 20

	// maxSeq leaves room to add to any sequence number.
	maxSeq = 1 << 62

	// maxAhead is how far a provider may move a payer's counter: twice what a
	// restored copy does by itself.
	maxAhead = 2 * Jump
)

const (
	// PauseTime is how long an answer waits for money before it ends: longer
	// than a voucher takes over six hops, shorter than people wait.
	PauseTime = 2 * time.Second

	// PayTime is how long a payer may owe for finished rounds and keep its
	// allowance: a voucher follows the result at once.
	PayTime = 30 * time.Second

	// GiveUpTime is how long a payer may owe before what it paid earlier counts
	// for nothing.
	GiveUpTime = time.Hour

	// MaxTTL bounds how long a round may last, and so how long money stays
	// reserved that belongs to a process that is gone.
	MaxTTL = time.Hour

	// lapse is added to a round's time before somebody else ends it: its own
	// process does so first, if it lives, a payer's after half of that.
	lapse = 10 * time.Minute

	// ReleaseTime is how long a signed release can be used: a transaction has to
	// be mined in it.
	ReleaseTime = time.Hour

	// YoungTime is how long a funder counts as new: funders of one hour share a
	// cap, whoever they say they are.
	YoungTime = 24 * time.Hour

	// ConfirmTime is how long a payer may take to confirm the answers that there are,
	// until what it promised for them is claimed as it is.
	ConfirmTime = time.Hour

	// KeepTime is how long the records of an epoch that is over are kept.
	KeepTime = 7 * 24 * time.Hour

	// checkTime is how often a running round looks at the books when nothing
	// else makes it: the chain may have fallen silent.
	checkTime = 500 * time.Millisecond
)

const (
	// bytesPerToken is the most bytes of text that one token has on average over
	// RatioRounds answers: the least a provider can have counted.
	bytesPerToken = 12

	// usualBytes is what few texts have less of for each token, English or not. A
	// count within it is not doubted for one other provider's alone: that one would
	// have others left by counting too few, which costs it little.
	usualBytes = 3

	// templateSlack are input tokens that a chat template adds to what was sent.
	templateSlack = 1024

	// imageSlack are input tokens that an image within the prompt may be: its
	// bytes say nothing about them.
	imageSlack = 4096

	// toolSlack are tokens around one tool call that no byte of it shows.
	toolSlack = 32

	// inFlight are output tokens that may have been made and not have arrived
	// when an answer was cut: a third of a second over three hops, of a fast model.
	inFlight = 256

	// RatioRounds is over how many rounds tokens per byte are compared.
	RatioRounds = 20

	// ratioPercent is what is too much, of what others count for as many bytes.
	ratioPercent = 115

	// minRatioBytes is the shortest answer that says anything about tokens per
	// byte.
	minRatioBytes = 64

	// maxRatio bounds the numbers of one round in that comparison, so that sums
	// and products stay within 64 bits.
	maxRatio = 1 << 24
)

const (
	// maxOwner bounds the name of a process.
	maxOwner = 64

	// maxText bounds the words of an error frame.
	maxText = 256

	// maxFrame bounds the body of a frame: the longest is an error's.
	maxFrame = 512

	// maxTranscript is the longest form of a transcript: a size and one root for
	// each of 48 bits.
	maxTranscript = 8 + 48*32

	// page is how many records are changed in one Do where all are.
	page = 500

	// maxHistory bounds how many rounds are listed at once.
	maxHistory = 10_000
)
