package api

import "time"

const (
	// DefaultHeartbeat is the silence after which a stream gets a comment:
	// well within the shortest idle limit of common clients and proxies (30 s).
	DefaultHeartbeat = 10 * time.Second

	// MinHeartbeat is the shortest interval that is accepted: a common client
	// gives up after 151 comments in a row, which ten seconds stretch beyond
	// the longest wait for a first token.
	MinHeartbeat = 10 * time.Second

	// firstEvent is how long a stream waits for its first event at least,
	// before a heartbeat sends the status: an error that comes as the first
	// event can still be sent with a status of its own.
	firstEvent = time.Second

	// afterDone is how long the end of a stream may take after its [DONE]; the
	// client has everything by then.
	afterDone = 2 * time.Second

	// DefaultBudget bounds the sum of request bodies held in memory, and
	// another one of the same size the sum of answers that are not streamed:
	// eight bodies of the largest size, or thousands of usual ones.
	DefaultBudget = 256 << 20

	// MaxAnswer bounds an answer that is not streamed. It is held whole, so
	// that a cut can still become an error.
	MaxAnswer = 32 << 20

	// bodyTime bounds the time a client takes to send its body; the largest
	// one passes at 2 Mbit/s.
	bodyTime = 2 * time.Minute

	// maxSkipped is how much of a body that is refused is read and forgotten, so
	// that its sender gets to the answer: eight of the largest that are taken.
	maxSkipped = 256 << 20

	// skipPiece is how much of it is read at once.
	skipPiece = 32 << 10

	// skipPause is how long the next piece of such a body may take: its sender
	// may be waiting for the answer.
	skipPause = 5 * time.Second

	// writeTime bounds one write to a client that does not read. Until then
	// the far end is held up, which is what backpressure is for; a suspended
	// program should not hold a provider for longer.
	writeTime = 5 * time.Minute

	// renewTime is how often writeTime begins anew at most: setting it for each
	// event cost a tenth of the time that a stream takes.
	renewTime = 5 * time.Second

	// renewBytes is how much is written at once without looking at the clock,
	// which costs as much as the event: more than waits in a socket.
	renewBytes = 64 << 10

	// DefaultRequests is how many requests may be in progress: far more than a
	// person's programs have, and few enough for each to have its buffers.
	DefaultRequests = 1024

	// busyRetry is what a client is told to wait when memory is spent.
	busyRetry = time.Second

	// modelsTime bounds the wait for a list of models, which clients ask for
	// when they start.
	modelsTime = 15 * time.Second
)
