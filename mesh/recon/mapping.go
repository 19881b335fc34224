package recon

import (
	"encoding/binary"
	"math"

	"lukechampine.com/blake3"
)

// never is an index that no cell has.
const never = math.MaxInt32

// mapping walks the cells that a short id is in: cell 0, then others with
// gaps that grow, so that cell i holds an id with probability 2/(2+i),
// whatever others do (section 4.2 of the paper, with its alpha = 1/2). That is
// enough cells for any number of differences, and no more than the first few
// need.
type mapping struct {
	state uint64
	index int32 // the cell it is at
}

func mappingOf(short uint64) mapping { return mapping{state: short} }

// next moves on to the next cell.
func (m *mapping) next() {
	m.state += 0x9e3779b97f4a7c15
	// That no cell up to j is the next has the probability
	// (i+1)(i+2) / (j+1)(j+2), so the next is the first j where that is no more
	// than a number drawn from (0, 1]. The paper approximates this; then cell 1
	// holds 64 % where 67 % are expected, and estimates of large differences are
	// too high. 53 bits make the number without rounding, and root and quotient
	// are correctly rounded everywhere: all machines walk the same way. The
	// conversions keep operations from being fused.
	u := float64(mix(m.state)>>11+1) / (1 << 53)
	i := float64(m.index)
	square := float64(float64((i+1)*(i+2))/u) + 0.25
	next := max(math.Ceil(math.Sqrt(square)-1.5), i+1)
	m.index = int32(min(next, never))
}

// mix spreads every bit over all others (the finalizer of splitmix64).
func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// checker makes the checksums of a session. They tell a cell of one id from a
// cell of several: against chance. Against the other side no hash could help,
// since it must know the key, and nobody else knows which short id an event has.
type checker struct{ first, second uint64 }

func checkerOf(key *Key) checker {
	h := blake3.New(16, key[:])
	h.Write([]byte(labelCheck))
	sum := h.Sum(nil)
	return checker{binary.LittleEndian.Uint64(sum), binary.LittleEndian.Uint64(sum[8:])}
}

// of is 32 bits wide: in 10,000 differences it fails once in 100,000 sessions,
// which the fingerprint then finds; 64 bits would cost 6 bytes a difference.
func (c checker) of(short uint64) uint32 {
	return uint32(mix(mix(short^c.first)+c.second) >> 32)
}
