package bundle

// Bounds of a bundle, which everybody holds.
const (
	// MaxLeaf bounds a leaf: its kind, and a price sheet of the largest size.
	MaxLeaf = 1 + 64<<10

	// maxDescriptor bounds the leaf of a descriptor.
	maxDescriptor = 1 + 4<<10

	// MaxBytes bounds the leaves of descriptors together: a KiB for each of sixteen
	// thousand nodes, above the ten thousand that worlds are simulated with.
	MaxBytes = 16 << 20

	// MaxSheetBytes bounds those of price sheets together: half of that, since a
	// sheet of one or two models has a few hundred bytes.
	MaxSheetBytes = 8 << 20

	// MaxLeaves bounds their number. The smallest descriptors would be a little
	// more than this in MaxBytes.
	MaxLeaves = 64 << 10

	// MaxFile bounds a bundle's encoding: leaves with their lengths, and a root
	// with the signatures of all signers there may be.
	MaxFile = MaxBytes + MaxSheetBytes + 3*MaxLeaves + 4<<10

	// maxRoot bounds a signed root: two hundred bytes and sixteen signatures.
	maxRoot = 2 << 10
)
