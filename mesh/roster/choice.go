package roster

import (
	"crypto/ed25519"
	"fmt"

	"github.com/culvert-net/culvert/mesh/world"
	"github.com/culvert-net/culvert/mesh/world/postcard"
)

// Choice is the founders' word on which of several entries follows a parent.
// Of several choices for one parent the highest number holds; two of one number
// that differ choose nothing.
type Choice struct {
	World      world.Hash
	Parent     world.Hash // an entry's hash, or the world's id
	Chosen     world.Hash
	Number     uint64
	Signatures []Signature // of founders
}

func (c Choice) appendUnsigned(b []byte) []byte {
	b = postcard.AppendArray(b, c.World[:])
	b = postcard.AppendArray(b, c.Parent[:])
	b = postcard.AppendArray(b, c.Chosen[:])
	return postcard.AppendUint(b, c.Number)
}

// Canonical are the bytes in which a choice is kept and sent. Without its
// signatures they are what other founders are asked to sign.
func (c Choice) Canonical() []byte { return appendSignatures(c.appendUnsigned(nil), c.Signatures) }

// DecodeChoice reads what Canonical writes and nothing else. It verifies no
// signature.
func DecodeChoice(b []byte) (Choice, error) {
	d := postcard.NewDecoder(b)
	c := readChoice(d)
	if err := d.Finish(); err != nil {
		return Choice{}, fmt.Errorf("decoding a choice between branches: %w", err)
	}
	return c, nil
}

func readChoice(d *postcard.Decoder) (c Choice) {
	d.Array(c.World[:])
	d.Array(c.Parent[:])
	d.Array(c.Chosen[:])
	c.Number = d.U64()
	c.Signatures = readSignatures(d)
	return c
}

// Hash names the choice, whoever signed it.
func (c Choice) Hash() world.Hash { return hash(labelChoice, c.appendUnsigned(nil)) }

// Sign adds a founder's signature, once.
func (c *Choice) Sign(key ed25519.PrivateKey) {
	c.Signatures = withSignature(c.Signatures, key, c.SignedMessage())
}

// SignedMessage is what founders sign.
func (c Choice) SignedMessage() []byte {
	return world.DomainChoice.Message(c.World, c.Hash(), c.appendUnsigned(nil))
}
