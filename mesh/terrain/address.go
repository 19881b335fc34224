package terrain

import (
	"cmp"
	"encoding/binary"
	"math/bits"

	"github.com/culvert-net/culvert/mesh/world"
	"github.com/culvert-net/culvert/mesh/world/postcard"
)

// Address is a member's place during one epoch.
type Address struct {
	Epoch  uint64
	Region uint64
	Chunk  uint64
	Cell   uint32
}

// Of is where the member with this transport key stands in an epoch whose
// control-plane key is cpk.
func Of(cpk *world.Secret, id world.Hash, epoch uint64, key [32]byte) Address {
	h := world.TerrainHash(cpk, id, epoch, key)
	return Address{
		Epoch:  epoch,
		Region: binary.LittleEndian.Uint64(h[0:8]),
		Chunk:  binary.LittleEndian.Uint64(h[8:16]),
		Cell:   binary.LittleEndian.Uint32(h[16:20]),
	}
}

// Canonical is the address as it is hashed and spelt.
func (a Address) Canonical() []byte {
	b := postcard.AppendUint(nil, a.Epoch)
	b = postcard.AppendUint(b, a.Region)
	b = postcard.AppendUint(b, a.Chunk)
	return postcard.AppendUint(b, uint64(a.Cell))
}

// Phrase is the address as people read it to each other; world.ParsePhraseAddress
// finds a wrong word in it.
func (a Address) Phrase() string { return world.PhraseAddress(a.Canonical()) }

// Decode reads what Canonical writes, and nothing else.
func Decode(b []byte) (Address, error) {
	d := postcard.NewDecoder(b)
	a := Address{Epoch: d.U64(), Region: d.U64(), Chunk: d.U64(), Cell: d.U32()}
	if err := d.Finish(); err != nil {
		return Address{}, err
	}
	return a, nil
}

// Distance is how far apart two places are: the shorter way round the ring of
// 2^128 points that region and chunk make. Cells do not count.
type Distance struct{ Hi, Lo uint64 }

// Compare is negative when d is the shorter one.
func (d Distance) Compare(other Distance) int {
	return cmp.Or(cmp.Compare(d.Hi, other.Hi), cmp.Compare(d.Lo, other.Lo))
}

// Distance is the way from a to b, or from b to a.
func (a Address) Distance(b Address) Distance {
	there, back := ahead(a, b), ahead(b, a)
	if there.Compare(back) < 0 {
		return there
	}
	return back
}

// ahead is how far b lies ahead of a.
func ahead(a, b Address) Distance {
	lo, borrow := bits.Sub64(b.Chunk, a.Chunk, 0)
	hi, _ := bits.Sub64(b.Region, a.Region, borrow)
	return Distance{Hi: hi, Lo: lo}
}
