package world

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"slices"

	"github.com/culvert-net/culvert/mesh/world/postcard"
)

// DescriptorUnsigned is what a node says of itself for one epoch: where it is
// reached and what it serves (ProviderDescriptorUnsigned of the design).
type DescriptorUnsigned struct {
	World         Hash
	Epoch         uint64
	ContactPoints []string // any order; canonical bytes sort and de-duplicate
	Capability    Capability
}

// Canonical are the bytes that DescriptorID hashes and the node signs.
func (u DescriptorUnsigned) Canonical() []byte { return u.append(nil) }

func (u DescriptorUnsigned) append(b []byte) []byte {
	b = postcard.AppendArray(b, u.World[:])
	b = postcard.AppendUint(b, u.Epoch)

	points := slices.Clone(u.ContactPoints)
	slices.Sort(points)
	points = slices.Compact(points)
	b = postcard.AppendUint(b, uint64(len(points)))
	for _, p := range points {
		b = postcard.AppendString(b, p)
	}
	return u.Capability.append(b)
}

func readDescriptorUnsigned(d *postcard.Decoder) (u DescriptorUnsigned) {
	d.Array(u.World[:])
	u.Epoch = d.U64()
	n := d.Count(1) // an empty string is one byte
	for i := range n {
		p := d.Text()
		if d.Err() != nil {
			return u
		}
		if i > 0 && u.ContactPoints[i-1] >= p {
			d.Fail(postcard.ErrOrder)
			return u
		}
		u.ContactPoints = append(u.ContactPoints, p)
	}
	u.Capability = readCapability(d)
	return u
}

// DecodeDescriptorUnsigned reads what Canonical writes and nothing else.
func DecodeDescriptorUnsigned(b []byte) (DescriptorUnsigned, error) {
	d := postcard.NewDecoder(b)
	u := readDescriptorUnsigned(d)
	if err := d.Finish(); err != nil {
		return DescriptorUnsigned{}, fmt.Errorf("decoding an unsigned descriptor: %w", err)
	}
	return u, nil
}

// Descriptor is a signed one (ProviderDescriptor of the design).
//
// The id does not cover the key: whoever copies another node's unsigned part
// under a key of his own gets the same id. Tables of descriptors are therefore
// keyed by both.
type Descriptor struct {
	ID Hash
	DescriptorUnsigned
	Key       [ed25519.PublicKeySize]byte // transport key
	Signature [ed25519.SignatureSize]byte
}

// What can be wrong with a descriptor that decodes.
var (
	ErrDescriptorID = errors.New("descriptor id is not the hash of its content")
	ErrSignature    = errors.New("signature does not verify")
)

// SignDescriptor makes the descriptor of u under a node's transport key.
func SignDescriptor(key ed25519.PrivateKey, u DescriptorUnsigned) Descriptor {
	d := Descriptor{ID: DescriptorID(u), DescriptorUnsigned: u}
	copy(d.Key[:], key.Public().(ed25519.PublicKey))
	copy(d.Signature[:], ed25519.Sign(key, d.SignedMessage()))
	return d
}

// SignedMessage are the bytes under the signature.
func (d *Descriptor) SignedMessage() []byte {
	return DomainDescriptor.Message(d.World, d.ID, d.DescriptorUnsigned.Canonical())
}

// VerifyID recomputes the id, which is cheap; its error is ErrDescriptorID.
func (d *Descriptor) VerifyID() error {
	if DescriptorID(d.DescriptorUnsigned) != d.ID {
		return ErrDescriptorID
	}
	return nil
}

// VerifySignature checks the signature over the id and the content as they
// stand; its error is ErrSignature. Call VerifyID before it.
func (d *Descriptor) VerifySignature() error {
	if !ed25519.Verify(d.Key[:], d.SignedMessage(), d.Signature[:]) {
		return ErrSignature
	}
	return nil
}

// Verify checks id and signature, and neither world nor epoch.
func (d *Descriptor) Verify() error {
	if err := d.VerifyID(); err != nil {
		return err
	}
	return d.VerifySignature()
}

// Canonical are the descriptor's canonical bytes.
func (d *Descriptor) Canonical() []byte {
	b := postcard.AppendArray(nil, d.ID[:])
	b = d.append(b)
	b = postcard.AppendBytes(b, d.Key[:])
	return postcard.AppendBytes(b, d.Signature[:])
}

// ReadDescriptor reads a descriptor that is a field of something larger. Like
// DecodeDescriptor it verifies nothing.
func ReadDescriptor(d *postcard.Decoder) (out Descriptor) {
	d.Array(out.ID[:])
	out.DescriptorUnsigned = readDescriptorUnsigned(d)
	d.BytesTo(out.Key[:])
	d.BytesTo(out.Signature[:])
	return out
}

// DecodeDescriptor reads what Canonical writes and nothing else. It verifies
// neither id nor signature.
func DecodeDescriptor(b []byte) (Descriptor, error) {
	d := postcard.NewDecoder(b)
	out := ReadDescriptor(d)
	if err := d.Finish(); err != nil {
		return Descriptor{}, fmt.Errorf("decoding a descriptor: %w", err)
	}
	return out, nil
}
