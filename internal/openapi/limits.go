package openapi

const (
	// maxKept is how much of a request or an answer a Transport keeps for the
	// check. A bridge takes and gives half of it at most.
	maxKept = 64 << 20

	// maxWatched is how long an event or a document may be and still be looked
	// at while it is written. Those of a server that keeps to the description
	// are some KiB; what is longer is there for its length.
	maxWatched = 1 << 20

	// maxRequest is how much of a request's body an Upstream reads: what a
	// bridge takes.
	maxRequest = 32 << 20

	// maxKnown and maxKnownText bound the verdicts that are remembered: 8 MiB
	// at most, in which the texts of most suites fit.
	maxKnown     = 4096
	maxKnownText = 2048

	// shown is how much of an answer an error shows.
	shown = 1000
)
