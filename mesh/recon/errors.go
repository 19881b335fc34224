package recon

import "errors"

// What ends a reconciliation. After an error its decoder is of no more use.
var (
	// ErrMalformed: bytes are no message of this kind.
	ErrMalformed = errors.New("reconciliation: message is malformed")

	// ErrRepeat: an id was recovered a second time.
	ErrRepeat = errors.New("reconciliation: an id came twice")

	// ErrMismatch: cells, or an id and its cells or ranges, contradict each other.
	ErrMismatch = errors.New("reconciliation: an id does not match where it was found")

	// ErrExcess: more ids than cells, or more work than cells can honestly cost.
	ErrExcess = errors.New("reconciliation: more ids than cells")

	// ErrLimit: the bound on bytes, cells or rounds is reached. With cells it is
	// no proof of a lie: ranges may still do it.
	ErrLimit = errors.New("reconciliation: not done within its limits")

	// ErrCollision: two members of a set have one short id. Another session, with
	// another key, will do.
	ErrCollision = errors.New("reconciliation: two ids are one in short")
)
