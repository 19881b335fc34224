package directory

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/culvert-net/culvert/mesh/world"
	"lukechampine.com/blake3"
)

// A sealed file is magic (8 bytes, the last one its format), world id, payload,
// and the BLAKE3 hash of all that. The hash finds damage, not malice.
const (
	cacheMagic = "CULVDIR\x01"
	keysMagic  = "CULVKEY\x01"
	sealSize   = 8 + len(world.Hash{}) + len(world.Hash{})
)

// What can be wrong with a sealed file.
var (
	errNotOurs    = errors.New("it is of another kind or format")
	errOtherWorld = errors.New("it belongs to another world")
	errDamaged    = errors.New("its checksum does not match: it was damaged")
	errTooLarge   = errors.New("it is larger than such a file can be")
)

func seal(magic string, id world.Hash, payload []byte) []byte {
	b := make([]byte, 0, sealSize+len(payload))
	b = append(b, magic...)
	b = append(b, id[:]...)
	b = append(b, payload...)
	sum := blake3.Sum256(b)
	return append(b, sum[:]...)
}

// unseal returns the payload, which points into b.
func unseal(magic string, id world.Hash, b []byte) ([]byte, error) {
	if len(b) < sealSize || string(b[:len(magic)]) != magic {
		return nil, errNotOurs
	}
	body, sum := b[:len(b)-len(world.Hash{})], b[len(b)-len(world.Hash{}):]
	if want := blake3.Sum256(body); subtle.ConstantTimeCompare(sum, want[:]) != 1 {
		return nil, errDamaged
	}
	if body = body[len(magic):]; world.Hash(body[:len(id)]) != id {
		return nil, errOtherWorld
	}
	return body[len(id):], nil
}

// readLimited reads a file that has at most limit bytes.
func readLimited(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	if int64(len(b)) > limit {
		return nil, errTooLarge
	}
	return b, nil
}
