package v3

const (
	// MaxFile is many times what a keystore file has, some 500 bytes.
	MaxFile = 16 << 10

	derivedBytes = 32 // 16 for the cipher, 16 for the checksum
	addressBytes = 20

	// Bounds of what a file may let us compute: four times the memory and eight times
	// the work of the usual parameters (n 2^18, r 8, p 1).
	maxN      = 1 << 20
	maxR      = 1 << 10
	maxP      = 1 << 10
	maxMemory = 1 << 30
	maxWork   = 8 << 21

	// muchMemory is worth a collection of its own.
	muchMemory = 64 << 20

	// maxIterations is ten times what today's wallets use, some seconds.
	maxIterations = 10_000_000
)
