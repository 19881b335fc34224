package authorkey

const (
	// worth is after how many signatures multiples of a key are made: that takes
	// as long as four signatures take without them.
	worth = 8

	// maxTables is of how many keys multiples are kept, 80 KiB each. A world's
	// members, who say most, are some hundred.
	maxTables = 256

	// idle is for how many signatures of others a key's multiples are kept at
	// least: with more keys that sign much than there is room for, the rest is
	// checked without, and none is made and dropped in turns.
	idle = 64 << 10

	// maxCounted is of how many keys it is counted how often they sign.
	maxCounted = 8 << 10
)
