package observer

import "time"

const (
	// clockEvery is how often this machine's clock is compared with those of the
	// world's seeds: clocks drift by a second in hours, not minutes.
	clockEvery = 15 * time.Minute

	// clockFirst is when it is compared for the first time: nodes that start
	// together find each other by then.
	clockFirst = 5 * time.Second

	// overStreams bounds the questions to the directory that come over circuits and
	// are being answered; the listener's queue holds some more.
	overStreams = 64

	// inUseTries and inUsePause are how often, and after what pause, a command looks
	// again for a daemon that has the files and does not answer yet.
	inUseTries = 20
	inUsePause = 100 * time.Millisecond

	// overJoins bounds streams with requests to join that come over circuits and are
	// open at once. Package member decides which of them are heard, and ends others.
	overJoins = 64

	// maxTaken is how many descriptors wait to be told to other members: what some
	// hundred nodes say at the beginning of an epoch, until the disk has it.
	maxTaken = 4096
)
