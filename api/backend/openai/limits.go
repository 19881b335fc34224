package openai

import "time"

const (
	// DefaultConnect bounds the time to a connection: a server that has not
	// accepted by then is down, and an error now is worth more than one later.
	DefaultConnect = 10 * time.Second

	// DefaultFirstByte bounds the wait for the first byte of an answer. A long
	// prefill on a small machine takes ten minutes and is not a hang; nor is a
	// whole answer that is not streamed.
	DefaultFirstByte = 15 * time.Minute

	// DefaultGap bounds the silence within an answer that has begun. No server
	// needs this long for a token, unless it has hung.
	DefaultGap = 2 * time.Minute

	// errorGap bounds the silence before and within the text of an error answer:
	// nothing is being computed any more.
	errorGap = 10 * time.Second

	// DefaultMaxAnswer bounds an answer that is not streamed and so is held in
	// memory by whoever serves it. Streams are bounded by the event.
	DefaultMaxAnswer = 32 << 20

	// idleConn is how long an unused connection is kept: less than the five
	// seconds after which uvicorn (vLLM) closes it, so that few requests race
	// with the closing.
	idleConn = 4 * time.Second

	// maxIdleConns keeps a connection for each of the requests that a busy
	// provider serves at once.
	maxIdleConns = 128

	// maxHeader bounds an answer's header, of which five fields are used.
	maxHeader = 64 << 10

	// modelsFresh is how long a list of models is believed. Short, because
	// local servers load and drop models while people look.
	modelsFresh = 5 * time.Second

	// serverFresh is how long what kind of server this is, and which routes it
	// has, is believed: it changes when somebody starts it with other flags.
	serverFresh = time.Minute

	// schemaTokens is how long the answer to a question about schemas may be: what
	// is asked for has about ten tokens.
	schemaTokens = 24

	// longPrompt is how many words a prompt has whose answer is read whole to see
	// whether the server cut it: the smallest context servers start with has 2048
	// tokens.
	longPrompt = 2048

	// heldAnswers bounds the answers that are read whole to look at them, as the
	// local API bounds those it holds.
	heldAnswers = 256 << 20

	// busyRetry is what a client is told to wait when that is spent.
	busyRetry = time.Second

	// minSecret is the shortest key that is taken for a secret in an answer: those
	// of hosted services have forty characters and more.
	minSecret = 20

	// blackenBuffer is read at once where a key is looked for.
	blackenBuffer = 32 << 10

	// maxModelList bounds the bytes of a list of models; hosted services with
	// hundreds of them send half a megabyte.
	maxModelList = 4 << 20

	// maxModels bounds the models of one server.
	maxModels = 10_000

	// maxModelID is the longest model id that is believed; see openai.ParseChat.
	maxModelID = 256

	// maxOwner is the longest owned_by that is shown.
	maxOwner = 64

	// probeTime bounds one question of Detect: model servers answer these from
	// memory, and whoever starts the program waits for it.
	probeTime = 2 * time.Second

	// maxProbe bounds the answer to one question of Detect.
	maxProbe = 4 << 20
)
