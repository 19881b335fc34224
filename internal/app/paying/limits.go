package paying

import "time"

const (
	// openLimit bounds opening a pay stream and writing its first frame: a circuit
	// that takes longer has no room.
	openLimit = 10 * time.Second

	// writeLimit bounds writing a frame: a provider that reads nothing gets nothing.
	writeLimit = 10 * time.Second

	// resultLimit is how long the result of a round is waited for behind the answer,
	// or what there was of one: the provider ends its work first, and its frame
	// takes a way over six hops.
	resultLimit = 10 * time.Second

	// refusalLimit is how long the reason of a refusal is waited for that has come
	// as an answer: it travels beside it.
	refusalLimit = 2 * time.Second

	// acceptLimit is how long a voucher's receipt is waited for. Without it, the
	// next round's header carries the voucher again.
	acceptLimit = 10 * time.Second

	// retryWait is between two attempts to open a pay stream whose round has ended.
	retryWait = 500 * time.Millisecond

	// resyncLimit bounds the comparison of a channel's books with its provider's: the
	// request's stream waits for it, which the provider gives up later.
	resyncLimit = 5 * time.Second

	// retryMost is the longest such wait while the request runs: a provider that has
	// no pay streams is not asked for one all the time.
	retryMost = 10 * time.Second

	// roomLimit is how long a request waits for others to end whose reserves are in its
	// way, or which run while the books have to be compared: as long as many answers
	// take. Who asks is told then, and may ask again.
	roomLimit = 30 * time.Second

	// runningTick is how often who waits for rounds looks again without being told of
	// an end: another program may share the store.
	runningTick = time.Second

	// stopLimit is how long Run waits at its end for rounds that are being settled.
	// What is left is found again at the next start.
	stopLimit = 5 * time.Second

	// flushTime is after a provider's receipt that no other round has brought to the
	// books: soon enough for who looks at them, and one commit for all of a second.
	flushTime = time.Second

	// sweepTime is between two looks for rounds whose process is gone.
	sweepTime = time.Minute

	// balanceAge is how old a look at the balances may be by which providers are
	// chosen: one look serves all requests of a moment.
	balanceAge = time.Second

	// emptyAge is that of a look that found nothing left: who has just bought wants to
	// be answered.
	emptyAge = 50 * time.Millisecond

	// leaveTime is how long a provider is left whose figure was not believed.
	leaveTime = 30 * 24 * time.Hour

	// waryTime is how long rounds are paid ahead on a channel whose provider allowed
	// less than it had said: a few of them, after which its word counts again.
	waryTime = time.Minute

	// maxLows is how many channels wait for a look at what they have left.
	maxLows = 64

	// topUpPause is after a top-up that failed: why it did is rarely over at once.
	topUpPause = 10 * time.Minute

	// leastOutput is down to how many tokens an answer is bounded that the request
	// does not bound, where money is short: some pages of text.
	leastOutput = 1024

	// maxDisputes is how many disputes are read at a start to know who was left.
	maxDisputes = 1000

	// retryAfter is what people are told to wait where money is busy, not missing.
	retryAfter = 5 * time.Second

	// releaseLimit bounds asking for a release, the circuit included, which a provider
	// that is there takes two or three seconds for. A person waits, who has another
	// way to close.
	releaseLimit = 8 * time.Second
)
