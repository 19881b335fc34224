package onion

import (
	"crypto/ecdh"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"

	"lukechampine.com/blake3"
)

// Suite1 is the handshake of worlds without a charter: X25519 alone.
const Suite1 byte = 1

// Sizes of suite 1's handshake messages.
const (
	CreateSize  = 1 + 1 + keyIDSize + 32 + 32 // place | suite | key id | target | X
	CreatedSize = 32 + sha256.Size            // Y | AUTH

	keyIDSize = 8
)

// Labels and identifiers of the handshake, all in this one place. keyLabel
// makes an onion key's id, info starts the key schedule's info, protocol ends
// the secret, authLabel separates AUTH from every other use of its key.
const (
	keyLabel  = "culvert-onionkey"
	infoLabel = "culvert-circ-1"
	protocol  = "/culvert/circ/1"
	authLabel = "culvert-circ-1-auth"
)

var (
	// ErrHandshake is a CREATE or CREATED that was not made for us: a wrong
	// key, identity, place, suite or world, or an altered message. Which, is
	// not told.
	ErrHandshake = errors.New("onion: handshake failed")
	// ErrUnknownKey is a CREATE for an onion key this node no longer, or never,
	// had. It is public: key ids stand in descriptors.
	ErrUnknownKey = errors.New("onion: unknown onion key")
)

// KeyID names an onion key in a CREATE: the first 8 bytes of
// BLAKE3("culvert-onionkey" ‖ key).
func KeyID(public [32]byte) [8]byte {
	sum := blake3.Sum256(append([]byte(keyLabel), public[:]...))
	return [8]byte(sum[:keyIDSize])
}

// Request is what a CREATE says.
type Request struct {
	Place  byte     // 1 = entry
	Suite  byte     // Suite1
	KeyID  [8]byte  // which of the target's onion keys
	Target [32]byte // the target's Ed25519 transport key
	X      [32]byte // the client's ephemeral key
}

// ParseCreate reads CREATE bytes, which must be CreateSize long. An extending
// relay learns from it whom to reach; nothing in it is secret.
func ParseCreate(b []byte) (Request, error) {
	if len(b) != CreateSize || b[1] != Suite1 || b[0] == 0 {
		return Request{}, ErrHandshake
	}
	return Request{
		Place: b[0], Suite: b[1],
		KeyID:  [8]byte(b[2:10]),
		Target: [32]byte(b[10:42]),
		X:      [32]byte(b[42:74]),
	}, nil
}

// Initiator is the client's side of one handshake under way.
type Initiator struct {
	_      [0]func() // not comparable
	world  [32]byte
	place  byte
	target [32]byte
	onion  *ecdh.PublicKey
	x      *ecdh.PrivateKey
	create [CreateSize]byte
}

// Initiate starts a handshake with the node whose transport key is target
// and whose published onion key is onionKey, as hop number place (1 = entry).
func Initiate(world [32]byte, place byte, target, onionKey [32]byte) (*Initiator, error) {
	b, err := ecdh.X25519().NewPublicKey(onionKey[:])
	if err != nil {
		return nil, fmt.Errorf("read onion key: %w", err)
	}
	x, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make ephemeral key: %w", err)
	}
	in := &Initiator{world: world, place: place, target: target, onion: b, x: x}
	id := KeyID(onionKey)
	c := append(in.create[:0], place, Suite1)
	c = append(c, id[:]...)
	c = append(c, target[:]...)
	_ = append(c, x.PublicKey().Bytes()...)
	return in, nil
}

// Create is the CREATE bytes to send.
func (in *Initiator) Create() []byte { return in.create[:] }

// Finish checks the CREATED bytes and yields the hop's keys. AUTH is compared
// before anything else that was derived is used.
func (in *Initiator) Finish(created []byte) (*Keys, error) {
	if len(created) != CreatedSize {
		return nil, ErrHandshake
	}
	y, err := ecdh.X25519().NewPublicKey(created[:32])
	if err != nil {
		return nil, ErrHandshake
	}
	// ECDH refuses an all-zero result, so low-order points end here.
	xy, err := in.x.ECDH(y)
	if err != nil {
		return nil, ErrHandshake
	}
	xb, err := in.x.ECDH(in.onion)
	if err != nil {
		return nil, ErrHandshake
	}
	keys, auth := schedule(transcript{
		world: in.world, place: in.place, suite: Suite1,
		xy: xy, xb: xb, target: in.target, onion: in.onion.Bytes(),
		x: in.x.PublicKey().Bytes(), y: created[:32],
		create: in.create[:],
	})
	if !hmac.Equal(auth, created[32:]) {
		keys.Erase()
		return nil, ErrHandshake
	}
	return keys, nil
}

// OnionKeys finds the private half of a published onion key.
type OnionKeys interface {
	// Lookup returns the key with this id, false if there is none or it is past
	// its time.
	Lookup(id [8]byte) (*ecdh.PrivateKey, bool)
}

// Respond answers CREATE bytes as the node whose transport key is self, and
// yields the CREATED bytes and this hop's keys. A replayed CREATE meets a
// fresh y, so the replayer cannot compute the keys and no replay set is kept.
func Respond(world, self [32]byte, keys OnionKeys, create []byte) ([]byte, *Keys, Request, error) {
	req, err := ParseCreate(create)
	if err != nil {
		return nil, nil, Request{}, err
	}
	if req.Target != self {
		return nil, nil, Request{}, ErrHandshake
	}
	b, ok := keys.Lookup(req.KeyID)
	if !ok {
		return nil, nil, Request{}, ErrUnknownKey
	}
	x, err := ecdh.X25519().NewPublicKey(req.X[:])
	if err != nil {
		return nil, nil, Request{}, ErrHandshake
	}
	y, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		return nil, nil, Request{}, fmt.Errorf("make ephemeral key: %w", err)
	}
	xy, err := y.ECDH(x)
	if err != nil {
		return nil, nil, Request{}, ErrHandshake
	}
	xb, err := b.ECDH(x)
	if err != nil {
		return nil, nil, Request{}, ErrHandshake
	}
	k, auth := schedule(transcript{
		world: world, place: req.Place, suite: req.Suite,
		xy: xy, xb: xb, target: self, onion: b.PublicKey().Bytes(),
		x: req.X[:], y: y.PublicKey().Bytes(), create: create,
	})
	created := make([]byte, 0, CreatedSize)
	created = append(created, y.PublicKey().Bytes()...)
	created = append(created, auth...)
	return created, k, req, nil
}
