package body

const (
	// MaxBody is the most one request body may hold. Prompts of a million
	// tokens with a few images inside fit; a film does not, and would have to
	// be held in memory whole, because prompts are never spooled to disk.
	MaxBody = 32 << 20

	// firstChunk is what a body gets before a byte of it has arrived. A length
	// is only a claim: memory is reserved as the bytes come, so that opening
	// connections with large claims does not spend the budget.
	firstChunk = 4 << 10

	// growth is how much larger the next buffer is: few copies for large
	// bodies, at most this many times the received bytes reserved.
	growth = 4
)
