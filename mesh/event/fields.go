package event

import (
	"fmt"

	"github.com/culvert-net/culvert/mesh/world"
	"github.com/culvert-net/culvert/mesh/world/postcard"
)

func appendHash(b []byte, h world.Hash) []byte { return postcard.AppendArray(b, h[:]) }

func readHash(d *postcard.Decoder) (h world.Hash) {
	d.Array(h[:])
	return h
}

func appendOptionalHash(b []byte, h *world.Hash) []byte {
	b = postcard.AppendBool(b, h != nil)
	if h != nil {
		b = appendHash(b, *h)
	}
	return b
}

func readOptionalHash(d *postcard.Decoder) *world.Hash {
	if !d.Bool() {
		return nil
	}
	h := readHash(d)
	return &h
}

// checkRange refuses a float that is not from 0 to most, NaN included.
func checkRange(name string, v, most float64) error {
	if !(v >= 0 && v <= most) {
		return fmt.Errorf("%w: %s is %v, and may be 0 to %v", ErrBounds, name, v, most)
	}
	return nil
}

// checkText refuses a string that is too long.
func checkText(name, s string, most int) error {
	if len(s) > most {
		return fmt.Errorf("%w: %s has %d bytes, and may have %d", ErrBounds, name, len(s), most)
	}
	return nil
}
