package tunnel

import (
	"time"

	"github.com/culvert-net/culvert/api/body"
)

// Limits of one message.
const (
	// MaxHead bounds a request's or an answer's head, start line included: what
	// a peer can make this end hold before anything of it is understood. Our
	// own are under 300 bytes.
	MaxHead = 32 << 10

	// headRoom is more than a head of ours takes: it is read with what follows
	// in one piece, and a small request is written so.
	headRoom = 1 << 10

	// MaxFields bounds the header lines of a head, so that a map of thousands
	// of two-byte headers is never built.
	MaxFields = 64

	// MaxChunk bounds one chunk of a streamed answer. Our server writes at
	// most streamBuffer at a time; a size beyond this is an attack or noise.
	MaxChunk = 1 << 20

	// MaxAnswer bounds an answer that is not an event stream: the local API
	// holds it whole, so that half of one is an error with a status.
	MaxAnswer = 32 << 20

	// streamBuffer is the most that leaves in one chunk: dozens of events that
	// arrived together, or one read of a large one.
	streamBuffer = 16 << 10

	// WriteAhead is how many bytes a Conn queues at least, whatever its peer
	// takes: nearly every request.
	WriteAhead = 16 << 10

	// smallRequest is how much of a body leaves in one write with the head, from
	// the goroutine that asks. With the head it is less than a Conn takes without
	// waiting, so nothing has to be read beside it.
	smallRequest = WriteAhead - headRoom

	// MaxRound bounds the value of x-culvert-round: a signed request, a salt and
	// a voucher take about 500 characters.
	MaxRound = 1 << 10

	// maxEmptyReads is how often a stream may return nothing before it counts
	// as broken, as bufio has it.
	maxEmptyReads = 100
)

// Limits of a client.
const (
	// maxAttempts is how many providers a prompt may reach. Each one reads it.
	maxAttempts = 2

	// DialLimit bounds building a circuit. Three handshakes over slow links
	// and one hedged build fit several times over.
	DialLimit = 30 * time.Second

	// OpenLimit is how long a payment may keep a stream waiting for its request: a
	// provider gives up after HeadLimit, of which the ways there take a part.
	OpenLimit = HeadLimit / 2

	// FirstTokenLimit bounds the wait for an answer's head, and again for its
	// first byte. A ten-minute prefill is not a hang; that the circuit is alive
	// meanwhile is the circuit's business, its PING makes Read fail.
	FirstTokenLimit = 15 * time.Minute

	// AnswerGap bounds the silence between two bytes of an answer. A server
	// that holds back a whole tool call is silent for a minute or two.
	AnswerGap = 5 * time.Minute

	// EndLimit bounds the wait for what follows without any work at the far
	// end: an error answer's body, and a stream's END after its last byte.
	EndLimit = 10 * time.Second

	// SettleLimit bounds the wait behind a complete answer for the provider's
	// signed result, which leaves it together with the answer's end: a client
	// that has everything should not wait longer for what it has cost.
	SettleLimit = time.Second

	// noProviderRetry is the Retry-After when nobody can answer now: about as
	// long as a directory refresh or a new circuit takes to help.
	noProviderRetry = 10 * time.Second
)

// Limits of a server.
const (
	// MaxRequests is how many requests the backend works on at once, if the
	// configuration does not say. Engines batch a few hundred; what is beyond
	// waits better at another provider, so it gets 503 and Retry-After.
	MaxRequests = 256

	// MaxStreams is how many accepted streams are held, requests still being
	// read and answers still being flushed included. Beyond it a stream is
	// reset unread: four times MaxRequests is no longer a queue but a flood.
	MaxStreams = 4 * MaxRequests

	// HeadLimit bounds the time from a stream's opening to the end of its
	// request's head: a few hundred bytes that leave in the first cell.
	HeadLimit = 10 * time.Second

	// BodyLimit bounds reading a request's body: 32 MiB at 1 Mbit/s.
	BodyLimit = 5 * time.Minute

	// bodyRate is what a client has to send per second of a body, on average and
	// after HeadLimit: MaxBody in BodyLimit.
	bodyRate = body.MaxBody / int64(BodyLimit/time.Second)

	// WriteStall bounds how long a client may take nothing while its answer
	// waits; then it no longer holds a place in the backend's batch.
	WriteStall = 2 * time.Minute

	// LingerLimit bounds how long a refusal given before the request was read
	// waits for the client to take it, since a reset would overtake it.
	LingerLimit = 10 * time.Second

	// DrainLimit is how long a shutdown lets answers finish, if the
	// configuration does not say.
	DrainLimit = 30 * time.Second

	// busyRetry is the Retry-After of a full server: some request has ended by
	// then.
	busyRetry = 2 * time.Second
)
