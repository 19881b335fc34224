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

	// maxNodes bounds relays and providers together: each has a 127.N.0.1.
	maxNodes = 250

	// maxSweep bounds how many directories of dead sandboxes one start removes:
	// each has some thirty small files, and a person waits.
	maxSweep = 32

	// tailLines and tailBytes bound what is shown of a dead node's log.
	tailLines = 8
	tailBytes = 16 << 10
)
