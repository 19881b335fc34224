package authorkey

import "github.com/culvert-net/culvert/internal/often"

// limits bound what is kept.
func limits() often.Limits {
	return often.Limits{
		// Making multiples takes as long as four signatures take without them.
		Worth: 8,

		// Of each key they are 80 KiB. A world's members, who say most, are some hundred.
		Kept: 256,

		Idle:    64 << 10,
		Counted: 8 << 10,
	}
}
