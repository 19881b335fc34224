package billing

import "time"

const (
	// maxLines is how many pay streams are kept: one for each request that a tunnel
	// works on, and as many whose payer has not finished yet. Beyond it the one that
	// came first of those whose round does not run gives way.
	maxLines = 2048

	// helloLimit bounds the time from a pay stream's opening to its first frame,
	// which leaves with it.
	helloLimit = 10 * time.Second

	// lineIdle is how long a pay stream is kept of which no round runs: a payer
	// confirms at once, or comes again.
	lineIdle = 30 * time.Second

	// writeLimit bounds writing a frame: a payer that does not read is no reason to
	// wait.
	writeLimit = 10 * time.Second

	// maxRefusals is how many refusals wait for the pay stream of their round, each
	// for refusalLife: stream and request race each other over one circuit.
	maxRefusals = 1024
	refusalLife = 10 * time.Second

	// pauseTick is how often a paused answer looks at the books without being told
	// of a voucher: another gateway of the provider may have taken it.
	pauseTick = 100 * time.Millisecond

	// finishLimit bounds writing a result when the request's own time is over.
	finishLimit = 10 * time.Second

	// lookEvery is between two looks at the chain for requests that it does not cover
	// as far as it is known, however many there are: as often as a chain without
	// haste is read in any case, and a look that finds no new block is one question.
	lookEvery = 2 * time.Second

	// lookLimit bounds one, so that nobody waits longer than both together.
	lookLimit = 3 * time.Second

	// lookPause is after one that failed.
	lookPause = 10 * time.Second

	// maxLooking is how many requests wait for a look, of strangers and of customers
	// each: others are refused at once, and come again. It is a small part of those
	// that the tunnel works on, of which each has a place meanwhile.
	maxLooking = 16

	// sweepTime is between two looks for rounds whose process is gone, and payers
	// that did not pay.
	sweepTime = time.Minute
)
