package doctor

import "time"

const (
	// defaultLimit bounds a check that says nothing else: it looks at files, or
	// asks something on this machine.
	defaultLimit = 10 * time.Second

	// SeedsLimit bounds the look at all seeds, which are asked at once: a dial
	// across the world, a handshake, and the directory over a slow line.
	SeedsLimit = 45 * time.Second

	// seedLimit bounds the first exchange with one seed; a person is watching.
	seedLimit = 15 * time.Second

	// tcpLimit bounds a plain connection, made to tell a machine that is away
	// from one whose program is another.
	tcpLimit = 3 * time.Second

	// holderLimit bounds the question who listens at a taken port.
	holderLimit = 2 * time.Second

	// maxBanner bounds the answer to it.
	maxBanner = 64 << 10

	// startGrace is how long a program that has just started may lack things
	// before that is a problem.
	startGrace = 30 * time.Second

	// clockFine is how far a clock may be off without a word: round trips and
	// ordinary drift stay below it.
	clockFine = 5 * time.Second

	// smallGroups is the number of network groups below which a world is called
	// small: whoever watches a few networks then sees both ends of many circuits.
	smallGroups = 6

	// DialLimit bounds the connections to this node's own addresses.
	DialLimit = 20 * time.Second
)
