package notary

import (
	"time"

	"github.com/culvert-net/culvert/mesh/directory/bundle"
)

const (
	// MaxMessage bounds a request or an answer between signers: the hashes of all
	// leaves, all leaves, and a root before and after with their signatures.
	MaxMessage = bundle.MaxFile + 32*bundle.MaxLeaves + 8<<10

	// askTimeout bounds one question to another signer, which may have to verify
	// every descriptor of a large world first.
	askTimeout = 30 * time.Second

	// maxRounds is how often a proposal is put together anew within one attempt:
	// what the others miss is known after the first, a root they know after the
	// second, and somebody else's proposal after the third.
	maxRounds = 4

	// maxYields is how often in an epoch a signer leaves votes to what others have
	// signed more often than what it has: one attempt of each other signer of three
	// or five is about what that needs.
	maxYields = 3

	// maxLacking bounds what one answer says is missing: more means that the
	// proposer has just started, and it may ask again.
	maxLacking = 4 << 20

	// quiet is how long nothing may have been published before a world's first
	// root: nodes that start together should stand in it together.
	quiet = time.Second

	// minStep and maxStep bound the time after which the next signer steps in.
	minStep = 2 * time.Second
	maxStep = 30 * time.Second

	// clockTick is how often the clock is looked at even if nothing is due: timers
	// stand still while a machine sleeps, epochs do not.
	clockTick = 30 * time.Second

	// minGrace and maxGrace bound how long a signer has held a descriptor before
	// it misses it in a bundle: what was published just now, others cannot have.
	minGrace = 2 * time.Second
	maxGrace = time.Minute

	// maxWaiting is how many publications wait for their stamp to be checked, one
	// at a time; more are refused and come again.
	maxWaiting = 64
)
