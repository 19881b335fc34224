package roster

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/culvert-net/culvert/mesh/world"
)

// A file of this package begins with a magic of eight bytes, the last of which
// is its format, and the world's id.
const (
	chainMagic = "CULVROS\x01"
	keyMagic   = "CULVGRP\x01"
	headSize   = len(chainMagic) + len(world.Hash{})
)

// fileHead is the beginning of a file.
func fileHead(magic string, id world.Hash) []byte { return append([]byte(magic), id[:]...) }

// checkHead refuses a file of another kind, format or world.
func checkHead(magic string, id world.Hash, b []byte) error {
	switch {
	case len(b) < headSize || string(b[:len(magic)-1]) != magic[:len(magic)-1]:
		return fmt.Errorf("%w: it is of another kind", ErrDamaged)
	case b[len(magic)-1] != magic[len(magic)-1]:
		return fmt.Errorf("it has format %d; this program reads %d, a newer one needs a newer program", b[len(magic)-1], magic[len(magic)-1])
	case !bytes.Equal(b[len(magic):headSize], id[:]):
		return fmt.Errorf("%w: %s", ErrWorld, world.Hash(b[len(magic):headSize]).Short())
	}
	return nil
}

// readFile reads a file that has at most limit bytes.
func readFile(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	err = errors.Join(err, f.Close())
	if err == nil && int64(len(b)) > limit {
		err = fmt.Errorf("%w: it has more than %d bytes", ErrDamaged, limit)
	}
	return b, err
}
