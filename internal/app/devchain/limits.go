package devchain

import "time"

const (
	// shortestPeriod of regular blocks: blocks have whole seconds, and the next one
	// a larger one, so with a shorter period the chain's clock would run ahead.
	shortestPeriod = time.Second

	// maxMine bounds the blocks of one call, some milliseconds each: a caller waits.
	maxMine = 1000

	// maxAdvance bounds how far one call moves the clock: longer than any wait that
	// a contract has, and far from where its 40 bits of seconds end.
	maxAdvance = 10 * 365 * 24 * time.Hour

	// maxRewind bounds the blocks that one call takes back: an epoch, after which
	// blocks are finalized on a chain that others agree on.
	maxRewind = 32

	// maxBatch and maxBatchAnswer bound what one JSON-RPC batch asks and is answered,
	// maxBody what it may be long: as those of public nodes.
	maxBatch       = 1000
	maxBatchAnswer = 25 << 20
	maxBody        = 5 << 20

	// maxConnections bounds who asks at a time.
	maxConnections = 256

	// databaseCache and trieCache are in MiB: the node's least, for a chain that
	// fits into memory whole.
	databaseCache = 16
	trieCache     = 16

	// databaseHandles bounds its open files.
	databaseHandles = 256

	// gasLimit of a block: what Ethereum's have, so that what fits here fits there.
	gasLimit = 60_000_000

	// queue is how many notices of transactions wait for their reader, who only
	// notes that there are some.
	queue = 64
)
