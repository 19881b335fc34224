package backend

import "time"

const (
	// CommitAfter is how long EarlyCommit waits for a status by default. Errors
	// that a server finds by itself come within a second or two; a client's
	// own idle limit is rarely below thirty.
	CommitAfter = 10 * time.Second

	// maxRetryAfter bounds the wait a far end may impose on a client: beyond a
	// day nobody waits, and a huge number would only overflow somewhere.
	maxRetryAfter = 24 * time.Hour

	// maxHeaderValue bounds a number in a header: more digits than that are
	// not a number anybody reads but a message.
	maxHeaderValue = 16
)
