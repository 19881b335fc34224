// Package sealed writes and reads small files of one world: a mark of what they
// are, the world's id, the content, and a hash that finds damage (not malice).
//
// Write replaces a file, Read gets its content back or says which of the five
// things that can be wrong is. Seal and Unseal are the bytes alone.
//
// It knows nothing of contents, and is not for logs or for what is changed in
// place. The functions may be called concurrently.
//
// Implements: docs/conventions.md "Data".
package sealed

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"os"

	"lukechampine.com/blake3"

	"github.com/culvert-net/culvert/internal/files"
	"github.com/culvert-net/culvert/mesh/world"
)

// Magic says what kind of file it is: seven letters, and a byte for the format.
type Magic string

// overhead is what a sealed file has beside its content.
const overhead = 8 + len(world.Hash{}) + len(world.Hash{})

// What can be wrong with a sealed file.
var (
	ErrNotOurs    = errors.New("it is of another kind or format")
	ErrOtherWorld = errors.New("it belongs to another world")
	ErrDamaged    = errors.New("its checksum does not match: it was damaged")
	ErrTooLarge   = errors.New("it is larger than such a file can be")
)

// Seal puts a file's bytes together.
func Seal(magic Magic, id world.Hash, content []byte) []byte {
	b := make([]byte, 0, overhead+len(content))
	b = append(b, magic...)
	b = append(b, id[:]...)
	b = append(b, content...)
	sum := blake3.Sum256(b)
	return append(b, sum[:]...)
}

// Unseal returns the content, which points into b.
func Unseal(magic Magic, id world.Hash, b []byte) ([]byte, error) {
	if len(b) < overhead || string(b[:len(magic)]) != string(magic) {
		return nil, ErrNotOurs
	}
	body, sum := b[:len(b)-len(world.Hash{})], b[len(b)-len(world.Hash{}):]
	if want := blake3.Sum256(body); subtle.ConstantTimeCompare(sum, want[:]) != 1 {
		return nil, ErrDamaged
	}
	if body = body[len(magic):]; world.Hash(body[:len(id)]) != id {
		return nil, ErrOtherWorld
	}
	return body[len(id):], nil
}

// Write replaces the file at path. The content is on the disk when it returns.
func Write(path string, magic Magic, id world.Hash, content []byte) error {
	return files.Write(path, Seal(magic, id, content), files.Private)
}

// Read reads a file whose content has at most limit bytes. The error wraps
// fs.ErrNotExist if there is none.
func Read(path string, magic Magic, id world.Hash, limit int) ([]byte, error) {
	b, err := ReadLimited(path, int64(limit+overhead))
	if err != nil {
		return nil, err
	}
	return Unseal(magic, id, b)
}

// ReadLimited reads a file that has at most limit bytes.
func ReadLimited(path string, limit int64) ([]byte, error) {
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
		return nil, ErrTooLarge
	}
	return b, nil
}
