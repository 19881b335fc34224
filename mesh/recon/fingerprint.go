package recon

import (
	"encoding/binary"
	"errors"

	"lukechampine.com/blake3"
	"lukechampine.com/blake3/guts"
)

const (
	// lanes is how many 16-bit sums a fingerprint has. With 1,024 of them no
	// way is known to find two sets of equal sums in less than 2^200 steps
	// (Lewi et al., "Securing Update Propagation with Homomorphic Hashing");
	// a single 256-bit sum of ids falls to 2^33 hashes.
	lanes = 1024

	// FingerprintSize is the length of a marshalled Fingerprint: the lanes and
	// the count.
	FingerprintSize = 2*lanes + 8
)

// ErrFingerprint says that bytes are no marshalled Fingerprint.
var ErrFingerprint = errors.New("not the state of a fingerprint")

// Fingerprint sums up a set of ids, in any order of adding and removing. The
// zero value is that of the empty set. That no id is added twice or removed
// unless it is there is up to the caller: it does not know its ids.
type Fingerprint struct {
	words [lanes / 4]uint64 // four lanes each, the first in the lowest bits
	count uint64
}

// Add takes id in.
func (f *Fingerprint) Add(id *ID) {
	var out [guts.MaxSIMD * guts.BlockSize]byte
	node := expand(id)
	for half := 0; half < len(f.words); half += len(out) / 8 {
		guts.CompressBlocks(&out, node)
		node.Counter += guts.MaxSIMD
		words := (*[len(out) / 8]uint64)(f.words[half:])
		for i := range words {
			words[i] = add4(words[i], binary.LittleEndian.Uint64(out[8*i:]))
		}
	}
	f.count++
}

// Remove takes id out.
func (f *Fingerprint) Remove(id *ID) {
	var one Fingerprint
	one.Add(id)
	for i := range f.words {
		f.words[i] = sub4(f.words[i], one.words[i])
	}
	f.count--
}

// Merge takes in all of other, a set that has no id in common with f's.
func (f *Fingerprint) Merge(other *Fingerprint) {
	for i := range f.words {
		f.words[i] = add4(f.words[i], other.words[i])
	}
	f.count += other.count
}

// Count is how many ids are in.
func (f *Fingerprint) Count() uint64 { return f.count }

// Sum is what goes to others: 32 bytes that are equal for equal sets alone.
func (f *Fingerprint) Sum() [32]byte {
	h := blake3.New(32, nil)
	write(h, f.append([]byte(labelFingerprint)))
	return [32]byte(h.Sum(nil))
}

// MarshalBinary is the state, FingerprintSize bytes.
func (f *Fingerprint) MarshalBinary() ([]byte, error) {
	return f.append(make([]byte, 0, FingerprintSize)), nil
}

func (f *Fingerprint) append(b []byte) []byte {
	for _, w := range f.words {
		b = binary.LittleEndian.AppendUint64(b, w)
	}
	return binary.LittleEndian.AppendUint64(b, f.count)
}

// UnmarshalBinary reads what MarshalBinary wrote, and nothing else.
func (f *Fingerprint) UnmarshalBinary(b []byte) error {
	if len(b) != FingerprintSize {
		return ErrFingerprint
	}
	var read Fingerprint
	for i := range read.words {
		read.words[i] = binary.LittleEndian.Uint64(b[8*i:])
	}
	read.count = binary.LittleEndian.Uint64(b[2*lanes:])
	if read.count == 0 && read != (Fingerprint{}) {
		return ErrFingerprint
	}
	*f = read
	return nil
}

// expand is the root of BLAKE3 over id; its output blocks are those of the XOF.
// The library's own reader costs two allocations and clears 4 KiB.
func expand(id *ID) guts.Node {
	var block [guts.BlockSize]byte
	copy(block[:], id[:])
	return guts.Node{
		CV:       guts.IV,
		Block:    guts.BytesToWords(block),
		BlockLen: uint32(len(id)),
		Flags:    guts.FlagChunkStart | guts.FlagChunkEnd | guts.FlagRoot,
	}
}

// tops are the highest bits of four lanes.
const tops = 0x8000_8000_8000_8000

// add4 adds four lanes at once: without their highest bits no carry leaves a
// lane, and those bits are added by exclusive or.
func add4(a, b uint64) uint64 { return (a&^tops + b&^tops) ^ (a^b)&tops }

// sub4 takes four lanes of b from those of a; a bit set on top of each lends
// what a lane needs.
func sub4(a, b uint64) uint64 { return ((a | tops) - b&^tops) ^ (a^^b)&tops }
