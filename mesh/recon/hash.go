package recon

import (
	"encoding/binary"

	"lukechampine.com/blake3"
	"lukechampine.com/blake3/guts"
)

// ID names a member of a set: a BLAKE3 hash, so ids are spread evenly.
type ID = [32]byte

// Key belongs to one session: both sides have a part in it, so that nobody can
// prepare ids that collide under it.
type Key = [32]byte

// What is hashed begins with a label of its own.
const (
	labelFingerprint = "culvert-fingerprint"
	labelShort       = "culvert-short"
	labelCheck       = "culvert-check"
	labelRange       = "culvert-range"
)

// ShortID is the name of id in the session of key: the first 8 bytes of
// BLAKE3-keyed(key, label ‖ id), little-endian.
func ShortID(key *Key, id *ID) uint64 {
	var block [guts.BlockSize]byte
	n := copy(block[:], labelShort)
	n += copy(block[n:], id[:])
	// One block: the library's Hasher would first clear 3 KiB.
	words := guts.CompressNode(guts.Node{
		CV:       keyWords(key),
		Block:    guts.BytesToWords(block),
		BlockLen: uint32(n),
		Flags:    guts.FlagKeyedHash | guts.FlagChunkStart | guts.FlagChunkEnd | guts.FlagRoot,
	})
	return uint64(words[0]) | uint64(words[1])<<32
}

func keyWords(key *Key) (words [8]uint32) {
	for i := range words {
		words[i] = binary.LittleEndian.Uint32(key[4*i:])
	}
	return words
}

// write feeds b to h in pieces of a chunk: for more at once the library starts
// goroutines.
func write(h *blake3.Hasher, b []byte) {
	for len(b) > guts.ChunkSize {
		h.Write(b[:guts.ChunkSize]) // a hash's Write returns no error
		b = b[guts.ChunkSize:]
	}
	h.Write(b)
}
