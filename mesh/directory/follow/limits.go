package follow

import "time"

const (
	// fanout is how many mirrors are asked at a time, agreement how many must
	// name a root: one of three may lie, or be a little behind.
	fanout    = 3
	agreement = 2

	// rootsTimeout bounds a question for roots, a circuit built for it included.
	rootsTimeout = 20 * time.Second

	// lateness is how long the other mirrors are waited for once what enough of them
	// say is the same: a circuit to one takes a second or two. Nothing they say could
	// change what is taken, but for proof against signers, which the next round brings.
	lateness = 3 * time.Second

	// bundlePatience is how long one mirror has to send a bundle before another is
	// asked beside it: whoever keeps a person waiting may do so on purpose. A large
	// bundle over a slow line takes longer, and goes on.
	bundlePatience = 10 * time.Second

	// bundleTimeout bounds the transfer of a bundle: a full one over a slow line
	// takes half of it.
	bundleTimeout = 60 * time.Second

	// firstRetry and lastRetry are the ends of the backoff while there is no
	// directory: a user is waiting.
	firstRetry = 250 * time.Millisecond
	lastRetry  = 15 * time.Second

	// firstAgain is the beginning of the backoff, and an eighth of an epoch its
	// end, while the directory is good but a newer one is due.
	firstAgain = 2 * time.Second

	// refreshEvery bounds how often a node that was asked for others it does not
	// know asks because of it: whoever asks must not set its pace.
	refreshEvery = 10 * time.Second

	// clockTick is how often the clock is looked at even if nothing is due: timers
	// stand still while a machine sleeps, epochs do not.
	clockTick = 30 * time.Second

	// settle is how long there may be no directory before operators are told:
	// nodes that start together need a few seconds to find each other.
	settle = 10 * time.Second

	// sameClock is how close mirrors' clocks are that say the same.
	sameClock = 2 * time.Minute
)
