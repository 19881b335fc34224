package claim

import "time"

const (
	// MaxBatch is how many channels one transaction claims: at 16,000 gas each, a
	// tenth of what a block of Ethereum may hold.
	MaxBatch = 200

	// baseGas and entryGas are what a claim costs: alone, and each channel more. The
	// contract's golden file of gas has them.
	baseGas  = 30_000
	entryGas = 16_000

	// DefaultMultiple of its gas is what a claim brings, unless its owner wants
	// otherwise: gas is then 5 % of it at most.
	DefaultMultiple = 20

	// DefaultAge is how long something may be due before it is claimed though it
	// is little.
	DefaultAge = 6 * time.Hour

	// pause is how often Run looks. A close gives a day.
	pause = time.Minute

	// leaseTime is how long a gateway has for sending what it has planned, before
	// another one takes it over. Asking a slow server takes less.
	leaseTime = 5 * time.Minute

	// firstWait and lastWait are how long nothing is claimed after a claim that the
	// chain refused, at first and at most: each try costs gas.
	firstWait = time.Minute
	lastWait  = time.Hour

	// maxBatches is how many may be on their way: as many as wait for fees to fall.
	maxBatches = 8
)

// maxChanges is how many channels begin or end being due in one transaction;
// the store takes 10,000 records.
const maxChanges = 4000
