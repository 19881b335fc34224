package gossip

import (
	"crypto/ecdh"
	"crypto/ed25519"
	"encoding/binary"
	"io"
	"slices"

	"lukechampine.com/blake3"

	"github.com/culvert-net/culvert/mesh/world"
)

const (
	// version is the protocol's minor version: what differs is refused, so there
	// is nothing to negotiate.
	version = 1

	// helloSize is how long a hello is on the stream: one bucket, like a frame.
	helloSize = bucket
)

// All labels of this package's keys and hashes.
const (
	labelTranscript = "culvert sync hello" // hash of both hellos
	labelLink       = "culvert sync link"  // keys until the roster is one
	labelGroup      = "culvert sync"       // keys with the group's in them
	labelShort      = "culvert sync short" // key of short ids
	labelPage       = "page"               // under the key of short ids: one page
	labelRoot       = "root"               // under it: all pages
	labelEpoch      = "epoch"              // under it: one epoch
	labelList       = "list"               // under it: a carrier's digest
	labelTopic      = "culvert topic"
	labelPush       = "culvert push"
)

// hello is the only thing sent in the clear. Its bytes are those of its fields in
// order, integers little-endian, and zeros up to helloSize.
type hello struct {
	version    uint8
	world      world.Hash
	nonce      [32]byte
	ephemeral  [32]byte // X25519, new for each session
	member     [32]byte
	generation uint64
	entry      world.Hash
	epoch      uint64
	// speaks is the newest place up to the head whose master the sender has, if that
	// is not the head: whoever made the head's entry may have sealed noise to it.
	speaks head
}

func (h *hello) bytes() []byte {
	b := append(make([]byte, 0, helloSize), h.version)
	b = append(b, h.world[:]...)
	b = append(b, h.nonce[:]...)
	b = append(b, h.ephemeral[:]...)
	b = append(b, h.member[:]...)
	b = binary.LittleEndian.AppendUint64(b, h.generation)
	b = append(b, h.entry[:]...)
	b = binary.LittleEndian.AppendUint64(b, h.epoch)
	b = binary.LittleEndian.AppendUint64(b, h.speaks.generation)
	b = append(b, h.speaks.entry[:]...)
	return b[:helloSize]
}

// readHello reads a hello of our world. Of another one it reads no further than
// its name.
func readHello(r io.Reader, id world.Hash) (*hello, error) {
	b := make([]byte, helloSize)
	const front = 1 + len(world.Hash{})
	if _, err := io.ReadFull(r, b[:front]); err != nil {
		return nil, closed(err)
	}
	h := &hello{version: b[0], world: world.Hash(b[1:front])}
	if h.version != version || h.world != id {
		return nil, &Error{Reason: ReasonWorld}
	}
	if _, err := io.ReadFull(r, b[front:]); err != nil {
		return nil, closed(err)
	}
	rest := b[front:]
	take := func(n int) []byte {
		f := rest[:n]
		rest = rest[n:]
		return f
	}
	copy(h.nonce[:], take(32))
	copy(h.ephemeral[:], take(32))
	copy(h.member[:], take(32))
	h.generation = binary.LittleEndian.Uint64(take(8))
	copy(h.entry[:], take(32))
	h.epoch = binary.LittleEndian.Uint64(take(8))
	h.speaks.generation = binary.LittleEndian.Uint64(take(8))
	copy(h.speaks.entry[:], take(32))
	if h.speaks != (head{}) && (h.speaks.generation == 0 || h.speaks.generation >= h.generation) {
		return nil, fail(ReasonMalformed, "a hello that speaks under generation %d of %d", h.speaks.generation, h.generation)
	}
	if slices.ContainsFunc(rest, func(c byte) bool { return c != 0 }) {
		return nil, fail(ReasonMalformed, "a hello that is not padded with zeros")
	}
	return h, nil
}

// agreement is what both sides compute from their hellos.
type agreement struct {
	world      world.Hash
	transcript [32]byte
	shared     []byte // X25519
}

// agree computes it. ours is our ephemeral key, theirs what the peer sent.
func agree(opener, answerer *hello, ours *ecdh.PrivateKey, theirs [32]byte) (*agreement, error) {
	public, err := ecdh.X25519().NewPublicKey(theirs[:])
	if err != nil {
		return nil, fail(ReasonMalformed, "an ephemeral key: %w", err)
	}
	shared, err := ours.ECDH(public)
	if err != nil {
		return nil, fail(ReasonMalformed, "an ephemeral key: %w", err)
	}
	h := blake3.New(32, nil)
	for _, part := range [][]byte{[]byte(labelTranscript), opener.bytes(), answerer.bytes()} {
		h.Write(part) // a hash's Write returns no error
	}
	return &agreement{world: opener.world, transcript: [32]byte(h.Sum(nil)), shared: shared}, nil
}

// The two directions, as they stand in keys and signatures.
const (
	fromOpener   = "opener"
	fromAnswerer = "answerer"
)

// linkKey is one direction's key until both hold the same roster.
func (a *agreement) linkKey(from string) *world.Secret {
	return world.NewSecret([32]byte(a.shared)).Derive(labelLink, a.transcript[:], []byte(from))
}

// groupKey is one direction's key after that: under the group's key for the
// epoch, so that only members have it, and from both sides' nonces and ephemeral
// keys, so that it is used once and lost with them.
func (a *agreement) groupKey(cpk *world.Secret, from string) *world.Secret {
	return cpk.Derive(labelGroup, a.transcript[:], a.shared, []byte(from))
}

// shortKey is what short ids and digests of pages are keyed with.
func (a *agreement) shortKey(cpk *world.Secret, opener, answerer *hello) [32]byte {
	return cpk.Keyed(labelShort, opener.nonce[:], answerer.nonce[:])
}

// sign shows that we are the member of our hello, in this session alone.
func (a *agreement) sign(key ed25519.PrivateKey, from string) []byte {
	return ed25519.Sign(key, a.signed(from))
}

func (a *agreement) verify(member [32]byte, sig []byte, from string) bool {
	return len(sig) == ed25519.SignatureSize && ed25519.Verify(member[:], a.signed(from), sig)
}

func (a *agreement) signed(from string) []byte {
	return world.DomainSync.Message(a.world, a.transcript, []byte(from))
}
