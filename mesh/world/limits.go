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

	// MaxFounders and MaxSigners bound the keys of a charter: each quorum checks
	// that many signatures at most, and people have to keep the keys.
	MaxFounders = 16
	MaxSigners  = 16

	// MaxTicketBits bounds the work a world may ask for: 2^24 tries of 40 ms are
	// a week on one core, and more shuts everybody out.
	MaxTicketBits = 24

	// MaxAnchor bounds what a ticket or an attestation points at: a block hash or
	// the hash of a page, with room for naming where.
	MaxAnchor = 128

	// MinHorizonEpochs is the shortest time events are kept: an event of the
	// epoch before is still being pushed.
	MinHorizonEpochs = 2

	// MaxHorizon bounds it from above: longer than any disk will keep them.
	MaxHorizon = 10 * 366 * 24 * time.Hour

	// MaxPhrasePayload bounds the bytes of a phrase address: 50 words are more
	// than anybody reads out.
	MaxPhrasePayload = 64

	// MaxWeight bounds the five weights: only their ratio matters, and a bound
	// keeps a sum of them exact in a float.
	MaxWeight = 100
)
