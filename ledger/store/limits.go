package store

import "time"

const (
	// maxGroup is how many functions share a commit. Their writes are then a few
	// thousand records, whose commit takes longer than the flush; more would
	// only wait longer together.
	maxGroup = 512

	// maxGroupBytes ends a group early, so that what is held in memory stays
	// bounded whatever is written.
	maxGroupBytes = 16 << 20

	// MaxChanges and MaxBytes bound what one Do writes: others wait for it. What
	// changes every record of a store is done in pages.
	MaxChanges = 10_000
	MaxBytes   = 8 << 20

	// gatherTime is the most that a group waits for those who were in the one
	// before it, and are likely to come again: a flush takes about as long.
	gatherTime = 500 * time.Microsecond
)
