package quorum

const (
	// MaxSigners bounds the signers of a world: founders list them by hand, and
	// every statement carries t signatures.
	MaxSigners = 16

	// maxRemembered is how many statements of a kind a memory holds, far more
	// than can still be asked for: a new one is due once an epoch, and only of
	// this epoch. What is older is refused without being remembered.
	maxRemembered = 256

	// minRemembered is the least a remembered statement takes in the file: a
	// kind, a number and a content.
	minRemembered = 1 + 1 + 32

	// maxMemoryFile bounds the content of the memory's file.
	maxMemoryFile = int(kinds)*maxRemembered*(1+10+32) + 64
)
