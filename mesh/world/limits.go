package world

import "time"

const (
	// MaxFile bounds a world file: a hundred seeds fit many times over, and a
	// file that somebody was sent is read whole before it is looked at.
	MaxFile = 64 << 10

	// MaxAddrs bounds seeds and mirrors each: a client asks three of them, so
	// more than this only makes the file a place to hide things in.
	MaxAddrs = 256

	// MaxAddrLen bounds one multiaddr: the longest kinds in use (a WebTransport
	// address with two certificate hashes and a peer id) stay below half of it.
	MaxAddrLen = 512

	// MaxPhrase bounds a normalised phrase: it is read aloud and typed by people.
	MaxPhrase = 128

	// MinEpoch and MaxEpoch bound an epoch: shorter ones make clock skew matter
	// more than content, longer ones keep onion keys alive for weeks.
	MinEpoch = time.Minute
	MaxEpoch = 7 * 24 * time.Hour

	// MaxWeight bounds the five weights: only their ratio matters, and a bound
	// keeps a sum of them exact in a float.
	MaxWeight = 100
)
