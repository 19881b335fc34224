package vectors

const (
	// MaxFile bounds a file of vectors: ours has some hundred KiB, and a file that
	// somebody was sent is read whole.
	MaxFile = 8 << 20

	// MaxVectors bounds the vectors of one file: some of them ask for 40 ms of
	// scrypt.
	MaxVectors = 4096
)
