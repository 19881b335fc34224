package signers

const (
	// worth is after how many good signatures multiples of a key are made: that
	// takes as long as three signatures take without them.
	worth = 8

	// maxSigners is of how many keys multiples are kept, 16 kB each: 8 MB. A bridge
	// pays some dozen providers. Of a gateway's payers those are kept that came
	// first, until they are idle.
	maxSigners = 512

	// idle is for how many signatures of others a key's multiples are kept at
	// least: with more keys that sign often than there is room for, the rest is
	// checked without, and none is made and dropped in turns.
	idle = 64 << 10

	// maxCounted is of how many keys it is counted how often they sign.
	maxCounted = 8 << 10
)
