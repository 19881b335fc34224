package bundle

// Bounds of a bundle, which everybody holds.
const (
	// MaxLeaf bounds a leaf: its kind, and a descriptor of the largest size.
	MaxLeaf = 1 + 4<<10

	// MaxBytes bounds all leaves together: a KiB for each of sixteen thousand
	// nodes, above the ten thousand that worlds are simulated with.
	MaxBytes = 16 << 20

	// MaxLeaves bounds their number. The smallest descriptors would be a little
	// more than this in MaxBytes.
	MaxLeaves = 64 << 10

	// MaxFile bounds a bundle's encoding: leaves with their lengths, and a root
	// with the signatures of all signers there may be.
	MaxFile = MaxBytes + 2*MaxLeaves + 4<<10

	// maxRoot bounds a signed root: two hundred bytes and sixteen signatures.
	maxRoot = 2 << 10
)
