package seal

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"lukechampine.com/blake3"

	"github.com/culvert-net/culvert/mesh/quorum"
	"github.com/culvert-net/culvert/mesh/recon"
	"github.com/culvert-net/culvert/mesh/world"
	"github.com/culvert-net/culvert/mesh/world/postcard"
)

// Body is what a seal says: the number of an epoch's events and the fingerprint
// over their ids. Who holds the events can check it, and nobody can make another
// set with the same.
type Body struct {
	World world.Hash
	Epoch uint64
	Count uint64
	Sum   [32]byte
}

// Of is what a seal of these ids says.
func Of(id world.Hash, epoch uint64, ids []world.Hash) Body {
	var f recon.Fingerprint
	for i := range ids {
		f.Add((*recon.ID)(&ids[i]))
	}
	return Body{World: id, Epoch: epoch, Count: f.Count(), Sum: f.Sum()}
}

// Canonical are the body's canonical bytes.
func (b Body) Canonical() []byte {
	out := postcard.AppendArray(nil, b.World[:])
	out = postcard.AppendUint(out, b.Epoch)
	out = postcard.AppendUint(out, b.Count)
	return postcard.AppendArray(out, b.Sum[:])
}

func readBody(d *postcard.Decoder) (b Body) {
	d.Array(b.World[:])
	b.Epoch, b.Count = d.U64(), d.U64()
	d.Array(b.Sum[:])
	return b
}

// Statement is what signers sign.
func (b Body) Statement() quorum.Statement {
	id := blake3.Sum256(append([]byte("seal"), b.Canonical()...))
	return quorum.Statement{World: b.World, Slot: quorum.SealOf(b.Epoch), Content: id}
}

// Seal is a body with the signatures there are.
type Seal struct {
	Body
	Signatures []quorum.Signature
}

// Verify checks that t signers of the world signed s.
func (s *Seal) Verify(id world.Hash, q quorum.Quorum) error {
	signed := s.signed()
	return signed.Verify(id, q)
}

func (s *Seal) signed() quorum.Signed {
	return quorum.Signed{Statement: s.Statement(), Signatures: s.Signatures}
}

// Canonical are the seal's canonical bytes.
func (s *Seal) Canonical() []byte { return quorum.AppendSignatures(s.Body.Canonical(), s.Signatures) }

// Decode reads what Canonical writes and nothing else.
func Decode(b []byte) (Seal, error) {
	d := postcard.NewDecoder(b)
	s := Seal{Body: readBody(d), Signatures: quorum.ReadSignatures(d)}
	if err := d.Finish(); err != nil {
		return Seal{}, fmt.Errorf("decoding a seal: %w", err)
	}
	return s, nil
}

// appendIDs writes ids in the order of their bytes.
func appendIDs(b []byte, ids []world.Hash) []byte {
	b = postcard.AppendUint(slices.Grow(b, 10+len(ids)*32), uint64(len(ids)))
	for i := range ids {
		b = postcard.AppendArray(b, ids[i][:])
	}
	return b
}

var errIDs = errors.New("more ids than there may be")

// readIDs reads what appendIDs writes, at most limit ids.
func readIDs(d *postcard.Decoder, limit int) []world.Hash {
	n := d.Count(len(world.Hash{}))
	if n > limit {
		d.Fail(errIDs)
		return nil
	}
	ids := make([]world.Hash, n)
	for i := range ids {
		d.Array(ids[i][:])
		if d.Err() == nil && i > 0 && compare(ids[i-1], ids[i]) >= 0 {
			d.Fail(postcard.ErrOrder)
		}
	}
	return ids
}

func compare(a, b world.Hash) int { return bytes.Compare(a[:], b[:]) }

// without are the ids of a that are not in b. Both are in order, and so is what is
// returned.
func without(a, b []world.Hash) (out []world.Hash) {
	for _, id := range a {
		for len(b) > 0 && compare(b[0], id) < 0 {
			b = b[1:]
		}
		if len(b) == 0 || b[0] != id {
			out = append(out, id)
		}
	}
	return out
}
