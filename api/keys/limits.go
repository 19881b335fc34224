package keys

import "time"

const (
	// MaxKeys bounds the keys of a store, revoked ones included: a key per app
	// and per person of a large house. All of them are held in memory.
	MaxKeys = 10_000

	// MaxName bounds a key's name, which stands in messages and tables.
	MaxName = 64

	// MaxModels and MaxModel bound the models of a key, and the name of one,
	// which is as long as a request's may be.
	MaxModels = 64
	MaxModel  = 256

	// MaxLimit is the largest limit. It leaves room for adding without care.
	MaxLimit = 1 << 53

	// maxRecord bounds a stored key: MaxModels names of MaxModel bytes, each
	// escaped by JSON, and some.
	maxRecord = 256 << 10

	// SaveEvery is how long a count may wait to be written. It is half of the
	// second that is promised, since writing takes a moment too.
	SaveEvery = 500 * time.Millisecond

	// saveAfter is the number of requests after which counts are written without
	// waiting for SaveEvery: what a crash forgets stays small under load too.
	saveAfter = 1000

	// saveTime bounds the last write when the program stops.
	saveTime = 5 * time.Second

	// MaxTokens bounds what one answer may count. The number comes from a model
	// server, and a mistaken one must not use up a key for ever. No model reads
	// or writes as much at once.
	MaxTokens = 10_000_000
)
