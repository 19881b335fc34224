package serve

import "time"

const (
	// headTimeout bounds reading a request's header: a local client sends it
	// at once, and one that does not must not hold a connection.
	headTimeout = 10 * time.Second

	// idleTimeout is how long an unused connection is kept. SDKs pool for a
	// minute or more; closing first would race with their next request.
	idleTimeout = 2 * time.Minute

	// maxHeader bounds a request's header: SDKs send two kilobytes.
	maxHeader = 64 << 10

	// Drain is how long running requests may go on after a stop was asked for,
	// unless the caller says otherwise. It is an answer's usual rest, and short
	// enough for a person who waits at the terminal.
	Drain = 10 * time.Second

	// abortWait bounds the wait for handlers after their contexts ended: what
	// has not returned by then never will.
	abortWait = 5 * time.Second

	// askTimeout bounds a command's question to a running daemon, which answers
	// from memory, unless the command has a deadline of its own.
	askTimeout = 5 * time.Second

	// maxAnswer bounds the daemon's answer: status of a full world fits often.
	maxAnswer = 16 << 20

	// MaxSocketPath is the longest path a unix socket may have on every system
	// we run on (macOS allows 103 bytes, Linux 107).
	MaxSocketPath = 103
)
