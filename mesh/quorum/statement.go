package quorum

import (
	"crypto/ed25519"
	"fmt"

	"lukechampine.com/blake3"

	"github.com/culvert-net/culvert/mesh/world"
	"github.com/culvert-net/culvert/mesh/world/postcard"
)

// Kind is what a statement is about. The numbers are wire variants.
type Kind uint32

// All kinds.
const (
	Root  Kind = 0 // the directory of an epoch
	Seal  Kind = 1 // the receipts of an epoch
	kinds Kind = 2
)

func (k Kind) String() string {
	switch k {
	case Root:
		return "root"
	case Seal:
		return "seal"
	}
	return fmt.Sprintf("kind %d", uint32(k))
}

// domain separates the signatures of the kinds from one another and from all
// else a key signs.
func (k Kind) domain() world.Domain {
	switch k {
	case Root:
		return world.DomainRoot
	case Seal:
		return world.DomainSeal
	}
	panic("quorum: a statement of an unknown kind is not decoded, nor made")
}

// Slot is a place for one statement.
type Slot struct {
	Kind   Kind
	Number uint64 // the epoch
}

// RootOf is the slot of an epoch's root.
func RootOf(epoch uint64) Slot { return Slot{Kind: Root, Number: epoch} }

// SealOf is the slot of an epoch's seal.
func SealOf(epoch uint64) Slot { return Slot{Kind: Seal, Number: epoch} }

func (s Slot) String() string {
	return fmt.Sprintf("%v of epoch %d", s.Kind, s.Number)
}

func (s Slot) append(b []byte) []byte {
	return postcard.AppendUint(postcard.AppendUint(b, uint64(s.Kind)), s.Number)
}

func readSlot(d *postcard.Decoder) Slot {
	return Slot{Kind: Kind(d.Variant(uint32(kinds))), Number: d.U64()}
}

// Statement says what fills a slot.
type Statement struct {
	World   world.Hash
	Slot    Slot
	Content world.Hash // by which the content is known, with a label of its own
}

// Canonical are the statement's canonical bytes.
func (s Statement) Canonical() []byte { return s.append(nil) }

func (s Statement) append(b []byte) []byte {
	b = postcard.AppendArray(b, s.World[:])
	b = s.Slot.append(b)
	return postcard.AppendArray(b, s.Content[:])
}

func readStatement(d *postcard.Decoder) (s Statement) {
	d.Array(s.World[:])
	s.Slot = readSlot(d)
	d.Array(s.Content[:])
	return s
}

// ID names the statement.
func (s Statement) ID() world.Hash {
	return blake3.Sum256(append([]byte("statement"), s.Canonical()...))
}

// message is what is signed.
func (s Statement) message() []byte {
	return s.Slot.Kind.domain().Message(s.World, s.ID(), s.Canonical())
}

// Signature is one signer's, over a statement.
type Signature struct {
	Signer [ed25519.PublicKeySize]byte
	Bytes  [ed25519.SignatureSize]byte
}

// sign makes a signature. Only Memory.Sign calls it.
func (s Statement) sign(key ed25519.PrivateKey) Signature {
	sig := Signature{Signer: [ed25519.PublicKeySize]byte(key.Public().(ed25519.PublicKey))}
	copy(sig.Bytes[:], ed25519.Sign(key, s.message()))
	return sig
}

// signedBy reports whether sig is a signature over s.
func (s Statement) signedBy(sig Signature) bool {
	return ed25519.Verify(sig.Signer[:], s.message(), sig.Bytes[:])
}
