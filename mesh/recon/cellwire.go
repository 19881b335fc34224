package recon

import (
	"encoding/binary"

	"github.com/culvert-net/culvert/mesh/world/postcard"
)

// minCell is the least a cell can take: sum, checksum, and no count.
const minCell = 8 + 4

func appendCell(b []byte, c *cell) []byte {
	b = binary.LittleEndian.AppendUint64(b, c.sum)
	return binary.LittleEndian.AppendUint32(b, c.check)
}

func readCell(d *postcard.Decoder) cell {
	var b [minCell]byte
	d.Array(b[:])
	return cell{sum: binary.LittleEndian.Uint64(b[:]), check: binary.LittleEndian.Uint32(b[8:])}
}

// expected is how many of size members are in cell i, on average: what is sent
// is only by how much a count departs from it.
func expected(size, i int) int64 {
	below := int64(i) + 2
	return (4*int64(size) + below) / (2 * below)
}

// readCount reads the count of cell i of a set with size members.
func readCount(d *postcard.Decoder, size, i int) int32 {
	n := expected(size, i)
	deviation := d.I64()
	// Every member is in cell 0.
	if deviation < -n || deviation > int64(size)-n || i == 0 && deviation != 0 {
		d.Fail(ErrMalformed)
		return 0
	}
	return int32(n + deviation)
}
