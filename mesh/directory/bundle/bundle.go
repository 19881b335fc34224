package bundle

import (
	"errors"
	"fmt"

	"github.com/culvert-net/culvert/mesh/world/postcard"
)

// Bundle is a root with its leaves.
type Bundle struct {
	Root SignedRoot
	*Leaves
}

// ErrShrunken is wrapped by errors about leaves that are not those of a root:
// something was left out, put in or changed.
var ErrShrunken = errors.New("the bundle is not what its root says: something was left out, put in or changed")

// New puts a root and its leaves together. It checks that they belong together,
// and not the signatures.
func New(root SignedRoot, leaves *Leaves) (*Bundle, error) {
	if int64(root.Count) != int64(leaves.Len()) {
		return nil, fmt.Errorf("%w (%d leaves instead of %d)", ErrShrunken, leaves.Len(), root.Count)
	}
	if root.Leaves != leaves.Merkle() {
		return nil, ErrShrunken
	}
	return &Bundle{Root: root, Leaves: leaves}, nil
}

// Encode is the bundle as a file has it.
func (b *Bundle) Encode() []byte {
	out := b.Root.Append(make([]byte, 0, maxRoot+b.size+2*len(b.all)))
	return AppendLeaves(out, b.all)
}

// Decode reads what Encode writes and nothing else. Leaves and root belong
// together then; signatures are not verified.
func Decode(in []byte) (*Bundle, error) {
	d := postcard.NewDecoder(in)
	root := ReadSignedRoot(d)
	all := ReadLeaves(d)
	if err := d.Finish(); err != nil {
		return nil, fmt.Errorf("decoding a bundle: %w", err)
	}
	leaves, err := sortedLeaves(all)
	if err != nil {
		return nil, fmt.Errorf("decoding a bundle: %w", err)
	}
	return New(root, leaves)
}

// AppendLeaves writes leaves as a part of something else.
func AppendLeaves(b []byte, leaves [][]byte) []byte {
	b = postcard.AppendUint(b, uint64(len(leaves)))
	for _, leaf := range leaves {
		b = postcard.AppendBytes(b, leaf)
	}
	return b
}

// ReadLeaves reads what AppendLeaves writes. The result points into the input.
func ReadLeaves(d *postcard.Decoder) [][]byte {
	n := d.Count(3) // a length, a kind and a byte
	if n == 0 {
		return nil
	}
	out := make([][]byte, 0, n)
	for range n {
		out = append(out, d.Bytes())
	}
	return out
}
