package gateway

import "time"

const (
	// assetWait bounds the question what the market is paid in, at a start.
	assetWait = 5 * time.Second

	// modelsEvery is how often the backend is asked what it serves: local
	// servers load and drop models while people look.
	modelsEvery = 5 * time.Second

	// modelsAgain is the pause after a question without an answer, and
	// modelsFailures how many in a row make a backend dead.
	modelsAgain    = time.Second
	modelsFailures = 2

	// modelsLimit bounds one question; a server in a long prefill on few cores
	// takes seconds for it.
	modelsLimit = 10 * time.Second

	// fewModels is how many models are all asked what they can do. Of more, only
	// those are that look as if they embed: some servers load a model to answer.
	fewModels = 4

	// ableAgain is the pause after a model did not say what it can do, which may
	// be one that cannot be loaded: asking costs its server work.
	ableAgain = 5 * time.Minute

	// firstLook bounds the question before a provider makes itself known: a
	// server that answers by then is in its first descriptor.
	firstLook = 2 * time.Second

	// maxModels and maxModelID are the directory's bounds of one node.
	maxModels  = 64
	maxModelID = 256

	// findLimit bounds the look for model servers at init.
	findLimit = 5 * time.Second

	// mockPace is how fast the demo model talks: as a small model does.
	mockPace = 20 * time.Millisecond
)
