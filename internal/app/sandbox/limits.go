package sandbox

import "time"

const (
	// startLimit bounds the time until a request can succeed: keys, processes
	// and circuits take about two seconds on a small machine.
	startLimit = 60 * time.Second

	// pollEvery is how often a node that starts is asked whether it is up.
	pollEvery = 50 * time.Millisecond

	// stopLimit is how long a node may take to stop once it was told to; a
	// bridge and a provider let running answers finish. Then it is killed.
	stopLimit = 12 * time.Second

	// maxNodes bounds relays and providers together: each has a 127.N.0.1, and so
	// have the memory nodes.
	maxNodes = 250 - memories

	// memories is how many memory nodes there are: the least of which one may be
	// killed, and the two others still sign the directory.
	memories = 3

	// horizon is how long members keep events: a day, since nobody's life's record
	// is kept in a sandbox.
	horizon = 24 * time.Hour

	// maxSweep bounds how many directories of dead sandboxes one start removes:
	// each has some thirty small files, and a person waits.
	maxSweep = 32

	// tailLines and tailBytes bound what is shown of a dead node's log.
	tailLines = 8
	tailBytes = 16 << 10
)
