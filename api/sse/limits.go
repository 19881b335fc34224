package sse

const (
	// MaxEvent is the largest event read from a stream: a line of 4 MiB (a
	// tool call that carries a file) passes with room to spare, and one stream
	// can hold no more memory than this.
	MaxEvent = 8 << 20

	// firstBuffer holds several chat chunks; most streams never need more.
	firstBuffer = 4 << 10

	// keepBuffer is the largest buffer kept between events, so that one large
	// event does not cost its size for the rest of a long stream.
	keepBuffer = 64 << 10

	// maxEmptyReads is how often in a row a source may return nothing before
	// it counts as broken, as package bufio has it.
	maxEmptyReads = 100
)
