package event

import (
	"crypto/ed25519"
	"encoding/binary"
	"fmt"

	"github.com/culvert-net/culvert/mesh/world"
	"github.com/culvert-net/culvert/mesh/world/postcard"
)

// Place is where and when something is said.
type Place struct {
	WorldID world.Hash
	EpochID uint64
}

// World is the place's world.
func (p *Place) World() world.Hash { return p.WorldID }

// Epoch is the place's epoch.
func (p *Place) Epoch() uint64 { return p.EpochID }

func (p *Place) append(b []byte) []byte {
	return postcard.AppendUint(postcard.AppendArray(b, p.WorldID[:]), p.EpochID)
}

func readPlace(d *postcard.Decoder) (p Place) {
	d.Array(p.WorldID[:])
	p.EpochID = d.U64()
	return p
}

// Signed is how every body but a descriptor's ends.
type Signed struct {
	Key       [ed25519.PublicKeySize]byte // transport key
	Signature [ed25519.SignatureSize]byte
}

// Author is the key that signed.
func (s *Signed) Author() [32]byte { return s.Key }

// signer gives the shared functions access to what is embedded.
func (s *Signed) signer() *Signed { return s }

func (s *Signed) appendKey(b []byte) []byte { return postcard.AppendBytes(b, s.Key[:]) }

func readSigned(d *postcard.Decoder) (s Signed) {
	d.BytesTo(s.Key[:])
	d.BytesTo(s.Signature[:])
	return s
}

// room is what canonical bytes are appended to: events are encoded several times on
// their way into a log, and most have less than 300 bytes beside what may be long.
func room(long int) []byte { return make([]byte, 0, 320+long) }

// signable is a body that ends in a Signed.
type signable interface {
	Body
	signer() *Signed
	carried() *world.Hash // the field that holds its own id; nil if it has none
	unsigned() []byte     // all fields but that id and the signature, the key included
	domain() world.Domain
}

// canonical are the bytes of a signable body.
func canonical(b signable) []byte {
	unsigned := b.unsigned()
	out := postcard.AppendUint(room(len(unsigned)), b.Type().index())
	if id := b.carried(); id != nil {
		out = postcard.AppendArray(out, id[:])
	}
	out = append(out, unsigned...)
	return postcard.AppendBytes(out, b.signer().Signature[:])
}

// SignedMessage are the bytes under a body's signature: domain, world, the hash
// of the unsigned fields, and these. A body that does not name its epoch has it
// before them, so that the same words cannot be said again later.
func SignedMessage(b Body) []byte {
	s, ok := b.(signable)
	if !ok { // the descriptor's own, which the descriptor knows
		return b.(*DescriptorPublish).Descriptor.SignedMessage()
	}
	unsigned := s.unsigned()
	rest := [][]byte{unsigned}
	if !s.Type().carriesPlace() {
		rest = [][]byte{binary.LittleEndian.AppendUint64(nil, s.Epoch()), unsigned}
	}
	return s.domain().Message(s.World(), world.Sum(unsigned), rest...)
}

// sign completes a body: key, id and signature.
func sign(key ed25519.PrivateKey, b signable) (*Event, error) {
	if err := b.bounds(); err != nil {
		return nil, fmt.Errorf("signing a %v: %w", b.Type(), err)
	}
	copy(b.signer().Key[:], key.Public().(ed25519.PublicKey))
	if id := b.carried(); id != nil {
		*id = world.Sum(b.unsigned())
	}
	copy(b.signer().Signature[:], ed25519.Sign(key, SignedMessage(b)))
	return fits(New(b))
}

// fits refuses what no decoder would read.
func fits(e *Event) (*Event, error) {
	if n := len(e.Canonical()); n > MaxEvent {
		return nil, fmt.Errorf("signing a %v of %d bytes: %w", e.Type(), n, ErrTooLarge)
	}
	return e, nil
}

// checkID recomputes the id a body carries.
func checkID(b signable) error {
	if id := b.carried(); id != nil && world.Sum(b.unsigned()) != *id {
		return fmt.Errorf("the %v's: %w", b.Type(), ErrID)
	}
	return nil
}

// Check reports what ed25519.Verify would.
type Check func(key *[32]byte, message, signature []byte) bool

func standard(key *[32]byte, message, signature []byte) bool {
	return ed25519.Verify(key[:], message, signature)
}

func verify(b signable, check Check) error {
	s := b.signer()
	if !check(&s.Key, SignedMessage(b), s.Signature[:]) {
		return fmt.Errorf("verifying a %v: %w", b.Type(), ErrSignature)
	}
	return nil
}
