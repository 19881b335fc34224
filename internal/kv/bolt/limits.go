package bolt

import "time"

const (
	// lockTime is how long Open waits for another process to let go of the
	// file: a command that writes one key is done long before.
	lockTime = 2 * time.Second

	// maxChecked is the largest file that Open reads whole, to find damage
	// before it is trusted. It takes some ten milliseconds per MiB.
	maxChecked = 64 << 20

	// mapped is how much address space a store takes at once. A file that
	// outgrows it is mapped anew, for which a write waits until nobody reads.
	mapped = 64 << 20

	// growth is what a file that is full grows by.
	growth = 64 << 10
)
