package bridge

import "time"

// Bounds of what is asked over the API.
const (
	// moneyLook bounds the look at the chain: its log may have to be read first, and
	// is read on by the program that runs.
	moneyLook = 45 * time.Second

	// upstreamLook bounds the question to the server of local mode.
	upstreamLook = 15 * time.Second

	// requestLimit bounds the chat of --ask: a model may have to be loaded first.
	requestLimit = 3 * time.Minute

	// maxAnswer bounds what is read of an answer: a list of models, or one token.
	maxAnswer = 4 << 20
)
