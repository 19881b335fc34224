package gateway

import "time"

const (
	// moneyLook bounds the look at the chain: its log may have to be read first, and
	// is read on by the program that runs.
	moneyLook = 45 * time.Second

	// askLimit bounds one question to the model server: the first may have to
	// load a model of many gigabytes.
	askLimit = 3 * time.Minute

	// maxProbeAnswer bounds what is read of an answer of one token. Embeddings
	// have some thousand numbers.
	maxProbeAnswer = 1 << 20
)
