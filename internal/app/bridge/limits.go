package bridge

import "time"

const (
	// readyEvery is how often a change of readiness is looked for. A start that
	// goes well takes less, and so is told as ready at once.
	readyEvery = time.Second

	// maxConnections is how many connections the API has open: four for each
	// request that may be in progress, since clients keep unused ones.
	maxConnections = 4096

	// upstreamFirst and upstreamEvery are the ends of the pauses between two
	// looks at the server of local mode: short after it fell silent, and long
	// enough not to wake a machine that serves nobody.
	upstreamFirst = 250 * time.Millisecond
	upstreamEvery = 10 * time.Second

	// joinTime bounds a whole join: a circuit, a ticket, and other members who may
	// have to approve. It can be run again.
	joinTime = 15 * time.Minute

	// upstreamLimit is how long the server may take to list its models, which it
	// does from memory.
	upstreamLimit = 5 * time.Second
)
