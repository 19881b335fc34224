package gateway

import "time"

const (
	// askLimit bounds one question to the model server: the first may have to
	// load a model of many gigabytes.
	askLimit = 3 * time.Minute

	// maxProbeAnswer bounds what is read of an answer of one token. Embeddings
	// have some thousand numbers.
	maxProbeAnswer = 1 << 20
)
