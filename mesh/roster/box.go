package roster

import (
	"bytes"
	"crypto/ecdh"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/crypto/chacha20poly1305"

	"github.com/culvert-net/culvert/mesh/world"
	"github.com/culvert-net/culvert/mesh/world/postcard"
)

// boxSize is an ephemeral X25519 key, a master, and the tag.
const boxSize = 32 + 32 + chacha20poly1305.Overhead

// Box is a master, sealed to one member.
type Box [boxSize]byte

// Boxes are an entry's master, sealed to each member there is after it. They
// travel beside the entry, under the proposer's signature, since a member could
// else replace those of others by noise.
type Boxes struct {
	World     world.Hash
	Entry     world.Hash
	Sealed    []Sealed // sorted by key
	Signature [ed25519.SignatureSize]byte
}

// Sealed is one member's box.
type Sealed struct {
	Key Key
	Box Box
}

// sealBoxes seals a master to each member.
func sealBoxes(key ed25519.PrivateKey, e Entry, members []Member, master *world.Secret) (Boxes, error) {
	b := Boxes{World: e.World, Entry: e.Hash()}
	for _, m := range members {
		box, err := SealMaster(e.World, e.Generation, m.Wrap, master)
		if err != nil {
			return Boxes{}, fmt.Errorf("sealing the master to %s: %w", short(m.Key), err)
		}
		b.Sealed = append(b.Sealed, Sealed{Key: m.Key, Box: box})
	}
	slices.SortFunc(b.Sealed, func(x, y Sealed) int { return bytes.Compare(x.Key[:], y.Key[:]) })
	copy(b.Signature[:], ed25519.Sign(key, b.SignedMessage()))
	return b, nil
}

func (b Boxes) appendUnsigned(out []byte) []byte {
	out = slices.Grow(out, 64+len(b.Sealed)*(32+boxSize)+16+ed25519.SignatureSize)
	out = postcard.AppendArray(out, b.World[:])
	out = postcard.AppendArray(out, b.Entry[:])
	out = postcard.AppendUint(out, uint64(len(b.Sealed)))
	for _, s := range b.Sealed {
		out = postcard.AppendArray(out, s.Key[:])
		out = postcard.AppendArray(out, s.Box[:])
	}
	return out
}

// SignedMessage is what the proposer signs: the hash is enough, the boxes are large.
func (b Boxes) SignedMessage() []byte {
	return world.DomainBoxes.Message(b.World, hash(labelBoxes, b.appendUnsigned(nil)))
}

// Canonical are the bytes in which boxes are kept and sent.
func (b Boxes) Canonical() []byte {
	return postcard.AppendArray(b.appendUnsigned(nil), b.Signature[:])
}

// DecodeBoxes reads what Canonical writes and nothing else. It does not verify
// the signature.
func DecodeBoxes(in []byte) (Boxes, error) {
	if len(in) > maxBoxes {
		return Boxes{}, fmt.Errorf("boxes of %d bytes: there are at most %d", len(in), maxBoxes)
	}
	d := postcard.NewDecoder(in)
	var b Boxes
	d.Array(b.World[:])
	d.Array(b.Entry[:])
	n := d.Count(32 + boxSize)
	b.Sealed = make([]Sealed, n)
	for i := range n {
		d.Array(b.Sealed[i].Key[:])
		d.Array(b.Sealed[i].Box[:])
		if i > 0 && bytes.Compare(b.Sealed[i-1].Key[:], b.Sealed[i].Key[:]) >= 0 {
			d.Fail(postcard.ErrOrder)
		}
	}
	d.Array(b.Signature[:])
	if err := d.Finish(); err != nil {
		return Boxes{}, fmt.Errorf("decoding boxes: %w", err)
	}
	return b, nil
}

// For is the box of one member.
func (b Boxes) For(key Key) (Box, bool) {
	i, ok := slices.BinarySearchFunc(b.Sealed, key, func(s Sealed, k Key) int { return bytes.Compare(s.Key[:], k[:]) })
	if !ok {
		return Box{}, false
	}
	return b.Sealed[i].Box, true
}

// CheckBoxes compares boxes with an entry that is known: they are its
// proposer's, and for exactly the members there are after it.
func (r *Roster) CheckBoxes(b Boxes) error {
	e, ok := r.Entry(b.Entry)
	if !ok {
		return fmt.Errorf("boxes of entry %s: %w", b.Entry.Short(), ErrParent)
	}
	members, _ := r.membersAfter(b.Entry)
	return checkBoxes(b, e, members, r.rules.verify)
}

func checkBoxes(b Boxes, e Entry, members []Member, v verifier) error {
	same := func(m Member, s Sealed) bool { return m.Key == s.Key }
	switch {
	case b.World != e.World || b.Entry != e.Hash():
		return errors.New("the boxes are those of another entry")
	case !v.signature(e.Proposer, b.SignedMessage(), b.Signature[:]):
		return fmt.Errorf("boxes of entry %s: %w", b.Entry.Short(), ErrSignature)
	case !slices.EqualFunc(members, b.Sealed, same):
		return fmt.Errorf("boxes of entry %s: %w: one for each member", b.Entry.Short(), ErrForm)
	}
	return nil
}

// masterHash is a master's place in its entry.
func masterHash(id world.Hash, master *world.Secret) world.Hash {
	return master.Keyed(labelMaster, id[:])
}

// SealMaster seals the master of a generation to a wrap key.
func SealMaster(id world.Hash, generation uint64, wrap [32]byte, master *world.Secret) (Box, error) {
	to, err := ecdh.X25519().NewPublicKey(wrap[:])
	if err != nil {
		return Box{}, err
	}
	ephemeral, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		return Box{}, err
	}
	shared, err := ephemeral.ECDH(to)
	if err != nil {
		return Box{}, fmt.Errorf("%w: %w", ErrWrapKey, err)
	}
	var box Box
	copy(box[:32], ephemeral.PublicKey().Bytes())
	key := boxKey(id, generation, shared, [32]byte(box[:32]), wrap)
	defer key.Erase()
	plain := master.Reveal()
	defer clear(plain[:])
	// The key is of one box only, since its ephemeral half is, so the nonce may
	// be zero.
	key.AEAD().Seal(box[32:32], make([]byte, chacha20poly1305.NonceSize), plain[:], nil)
	return box, nil
}

// OpenBox opens what SealMaster sealed to the wrap key's other half, and
// compares it with the hash in the entry.
func OpenBox(id world.Hash, generation uint64, wrap *ecdh.PrivateKey, box Box, master world.Hash) (*world.Secret, error) {
	ephemeral, err := ecdh.X25519().NewPublicKey(box[:32])
	if err != nil {
		return nil, ErrBox
	}
	shared, err := wrap.ECDH(ephemeral)
	if err != nil {
		return nil, ErrBox
	}
	key := boxKey(id, generation, shared, [32]byte(box[:32]), [32]byte(wrap.PublicKey().Bytes()))
	defer key.Erase()
	plain, err := key.AEAD().Open(nil, make([]byte, chacha20poly1305.NonceSize), box[32:], nil)
	if err != nil || len(plain) != 32 {
		return nil, ErrBox
	}
	defer clear(plain)
	s := world.NewSecret([32]byte(plain))
	if got := masterHash(id, s); subtle.ConstantTimeCompare(got[:], master[:]) != 1 {
		return nil, ErrBox
	}
	return s, nil
}

// boxKey is HKDF over the shared secret, bound to all that the box is for.
func boxKey(id world.Hash, generation uint64, shared []byte, ephemeral, wrap [32]byte) *world.Secret {
	defer clear(shared)
	s := world.NewSecret([32]byte(shared))
	defer s.Erase()
	return s.Derive(labelBox, ephemeral[:], wrap[:], id[:], binary.LittleEndian.AppendUint64(nil, generation))
}
