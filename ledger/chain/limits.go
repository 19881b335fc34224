package chain

import "time"

const (
	// maxAnswer bounds the body of one answer: a full page of 10,000 events, each
	// of about 1 KiB, and as much again.
	maxAnswer = 24 << 20

	// maxLogs of one page: servers that limit results give at most 10,000.
	maxLogs = 20_000

	// maxLogData bounds the data of one event; the largest, a registration, has a
	// descriptor of at most some kilobytes.
	maxLogData = 64 << 10

	// maxEntries of one table of the state. A server that invents logs runs into
	// this before the machine runs out of memory; a million channels are 200 MB.
	maxEntries = 1 << 20

	// maxServerText is how much of what a server says gets into an error; Lotus
	// puts a contract's reason there, in some 250 characters.
	maxServerText = 400

	// maxCode bounds a contract's code: 24,576 bytes by EIP-170, twice for chains
	// that allow more.
	maxCode = 48 << 10

	// maxAddressText bounds an address in text: the longest has 44 characters.
	maxAddressText = 64

	// callTimeout is how long one question may take. Servers end their own after
	// 10 to 30 seconds; a circuit adds little to that.
	callTimeout = 45 * time.Second

	// maxNullRounds is how many heights without a block may follow each other: on
	// Filecoin one in some hundred is empty, five in a row were seen.
	maxNullRounds = 64

	// maxMarks bounds the blocks whose hash is kept. With one for each new block
	// that is beyond the finality of every network there is a preset for.
	maxMarks = 1024

	// maxBehind is how often in a row a server's newest block may be older than
	// what was confirmed, until that is a fork and no server that lags.
	maxBehind = 5

	// retryFirst and retryLast are the waits after errors, doubled each time.
	retryFirst = time.Second
	retryLast  = time.Minute

	// leastStale is for how long a newest block is never called old, whatever the
	// chain's block time: clocks differ by minutes.
	leastStale = 10 * time.Minute

	// staleBlocks is how many block times after its time the newest block is old.
	staleBlocks = 40

	// maxInFlight transactions of a wallet: Lotus takes nonces up to 4 ahead.
	maxInFlight = 4

	// maxGas is a gas limit that no block has: Filecoin's is 10^10.
	maxGas = 10_000_000_000

	// replaceAfter is how many block times a transaction waits before it is sent
	// again with higher fees; leastReplace is the least that is.
	replaceAfter = 4
	leastReplace = 30 * time.Second

	// gapPasses is how often in a row a missing nonce is seen before it is filled:
	// what is missing may be on its way.
	gapPasses = 3

	// maxReplacements of one transaction: 12.5 % eight times is 2.6 times the fee.
	maxReplacements = 8

	// maxFinished transactions are kept to be asked for; older ones are on the
	// chain.
	maxFinished = 64

	// maxCallData bounds what one call carries: 200 claims are 38 KB, and nodes
	// take no transaction above 128 KiB; Lotus none above 64 KiB.
	maxCallData = 60 << 10
)

const (
	// markChanges and markBytes end a mark within a page, so that its records fit
	// into one commit of the store, which takes 10,000 of them and 8 MiB.
	markChanges = 2000
	markBytes   = 2 << 20

	// sweepKeys is how many records of an earlier reading one commit deletes.
	sweepKeys = 1000

	// maxDoubts is how often in a row events may contradict the state, until the
	// state is what is doubted, and the log is read from the start.
	maxDoubts = 4
)

const (
	// MaxQuestion bounds a question that is passed on: the largest transaction, in
	// hexadecimal, and room for its names.
	MaxQuestion = 2*(maxCallData+maxTxRest) + 1024

	// maxTxRest bounds what a transaction has besides its data: some 200 bytes.
	maxTxRest = 1 << 10

	// maxParams of a question; no method of ours has more than two.
	maxParams = 4

	// maxPassedRange is how many blocks somebody else may ask for at once: the
	// largest page of any network there is a preset for.
	maxPassedRange = 10_000
)
