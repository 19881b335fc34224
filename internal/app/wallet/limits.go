package wallet

const (
	// minPassphrase is the least length of a new passphrase, in bytes. Scrypt makes each
	// guess cost about a second; what is shorter is guessed all the same.
	minPassphrase = 8

	// maxPassphrase is longer than any that is typed, and shorter than a file that was
	// named by mistake.
	maxPassphrase = 1024

	// maxGroup is the longest name of an isolation group: that of any API key fits.
	maxGroup = 255

	// maxSessions bounds the session keys that are opened at a start: each takes as long
	// as the wallet itself.
	maxSessions = 64
)
