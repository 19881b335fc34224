package bundle

import (
	"errors"
	"fmt"

	"lukechampine.com/blake3"

	"github.com/culvert-net/culvert/mesh/quorum"
	"github.com/culvert-net/culvert/mesh/world"
	"github.com/culvert-net/culvert/mesh/world/postcard"
)

// version is the only version of roots so far.
const version = 1

// Root says of one epoch who is in the world.
type Root struct {
	World    world.Hash
	Epoch    uint64
	Count    uint32     // of leaves
	Leaves   world.Hash // their Merkle root
	Previous world.Hash // the root before, of whatever epoch; zero for the first

	Generation uint64     // of the roster the signers know
	Roster     world.Hash // its head
	Time       uint64     // when the root was proposed, in milliseconds since 1970
}

// Canonical are the root's canonical bytes.
func (r Root) Canonical() []byte { return r.append(nil) }

func (r Root) append(b []byte) []byte {
	b = postcard.AppendUint(b, version)
	b = postcard.AppendArray(b, r.World[:])
	b = postcard.AppendUint(b, r.Epoch)
	b = postcard.AppendUint(b, uint64(r.Count))
	b = postcard.AppendArray(b, r.Leaves[:])
	b = postcard.AppendArray(b, r.Previous[:])
	b = postcard.AppendUint(b, r.Generation)
	b = postcard.AppendArray(b, r.Roster[:])
	return postcard.AppendUint(b, r.Time)
}

// ErrVersion is for roots of another version, which another program made.
var ErrVersion = errors.New("a directory root of another version; this program is too old or too new for it")

func readRoot(d *postcard.Decoder) (r Root) {
	if v := d.U32(); d.Err() == nil && v != version {
		d.Fail(ErrVersion)
	}
	d.Array(r.World[:])
	r.Epoch = d.U64()
	r.Count = d.U32()
	d.Array(r.Leaves[:])
	d.Array(r.Previous[:])
	r.Generation = d.U64()
	d.Array(r.Roster[:])
	r.Time = d.U64()
	return r
}

// ID names the root.
func (r Root) ID() world.Hash {
	return blake3.Sum256(append([]byte("dir-root"), r.Canonical()...))
}

// Statement is what signers sign of it.
func (r Root) Statement() quorum.Statement {
	return quorum.Statement{World: r.World, Slot: quorum.RootOf(r.Epoch), Content: r.ID()}
}

// SignedRoot is a root with the signatures there are, sorted by signer.
type SignedRoot struct {
	Root
	Signatures []quorum.Signature
}

// Signed is the statement with its signatures.
func (s *SignedRoot) Signed() quorum.Signed {
	return quorum.Signed{Statement: s.Statement(), Signatures: s.Signatures}
}

// Verify checks that enough signers of the world signed. Errors are quorum's.
func (s *SignedRoot) Verify(id world.Hash, q quorum.Quorum) error {
	signed := s.Signed()
	return signed.Verify(id, q)
}

// Append writes the signed root as a part of something else.
func (s *SignedRoot) Append(b []byte) []byte {
	return quorum.AppendSignatures(s.append(b), s.Signatures)
}

// ReadSignedRoot reads what Append writes, and verifies nothing.
func ReadSignedRoot(d *postcard.Decoder) SignedRoot {
	return SignedRoot{Root: readRoot(d), Signatures: quorum.ReadSignatures(d)}
}

// DecodeSignedRoot reads what Append writes and nothing else.
func DecodeSignedRoot(b []byte) (SignedRoot, error) {
	if len(b) > maxRoot {
		return SignedRoot{}, fmt.Errorf("a signed root has at most %d bytes, not %d", maxRoot, len(b))
	}
	d := postcard.NewDecoder(b)
	s := ReadSignedRoot(d)
	if err := d.Finish(); err != nil {
		return SignedRoot{}, fmt.Errorf("decoding a signed root: %w", err)
	}
	return s, nil
}
