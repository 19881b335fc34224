package signers

import "github.com/culvert-net/culvert/internal/often"

// limits bound what is kept.
func limits() often.Limits {
	return often.Limits{
		// Making multiples takes as long as three signatures take without them.
		Worth: 8,

		// Of each key they are 16 kB: 8 MB. A bridge pays some dozen providers. Of a
		// gateway's payers those are kept that came first, until they are idle.
		Kept: 512,

		Idle:    64 << 10,
		Counted: 8 << 10,
	}
}
