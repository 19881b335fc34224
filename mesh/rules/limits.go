package rules

const (
	// MaxEpochs bounds how far back a policy may look: a year of hourly epochs,
	// which is more than any log holds.
	MaxEpochs = 366 * 24

	// rounding is how far below the threshold a share may be for having been
	// divided and summed: three times a third is not quite one.
	rounding = 1e-9
)
