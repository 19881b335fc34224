package circuit

import (
	"github.com/culvert-net/culvert/circuit/cell"
	"github.com/culvert-net/culvert/circuit/onion"
)

// codec puts one end's layers around a message, or takes them off. seal is
// called by the goroutine that writes, open by the one that reads.
type codec interface {
	// size is how many bytes of a body the message takes.
	size() int
	// seal turns body, whose first size bytes are the message, into the body
	// of a RELAY cell.
	seal(body []byte)
	// open takes the layers off a RELAY cell's body and returns the message.
	open(body []byte) ([]byte, error)
}

// clientCodec holds one layer per hop that has answered. A body is filled by
// the layers to its last byte, so the client needs no filler.
type clientCodec struct {
	body     int
	forward  []*onion.Layer
	backward []*onion.Layer
}

// add takes a hop's keys. Nothing may be under way in either direction.
func (c *clientCodec) add(world [32]byte, k *onion.Keys) {
	c.forward = append(c.forward, k.Forward(world))
	c.backward = append(c.backward, k.Backward(world))
}

func (c *clientCodec) size() int { return c.body - cell.TagSize*len(c.forward) }

func (c *clientCodec) seal(body []byte) {
	n := c.size()
	for i := len(c.forward) - 1; i >= 0; i-- {
		c.forward[i].Seal(body, n)
		n += cell.TagSize
	}
}

func (c *clientCodec) open(body []byte) ([]byte, error) {
	for _, l := range c.backward {
		if err := l.Open(body); err != nil {
			return nil, err
		}
		body = body[:len(body)-cell.TagSize]
	}
	return body, nil
}

// hopCodec is one hop's own layer. Bytes of a body behind its reach are what
// earlier hops left there: never read, and written over with random ones.
type hopCodec struct {
	in, out int // length of the sealed part of a body at this place, and of the opened
	forward *onion.Layer
	back    *onion.Layer
	fillIn  filler // owned by the goroutine that reads towards the provider
	fillOut filler // owned by the goroutine that writes towards the client
}

// newHopCodec is the codec of the hop at place (1 = entry) for bodies of n bytes.
func newHopCodec(n int, place byte, world [32]byte, k *onion.Keys) *hopCodec {
	in := n - cell.TagSize*(int(place)-1)
	return &hopCodec{
		in: in, out: in - cell.TagSize,
		forward: k.Forward(world), back: k.Backward(world),
		fillIn: newFiller(), fillOut: newFiller(),
	}
}

func (c *hopCodec) size() int { return c.out }

func (c *hopCodec) seal(body []byte) {
	c.back.Seal(body, c.out)
	c.fillOut.fill(body[c.in:])
}

func (c *hopCodec) open(body []byte) ([]byte, error) {
	if err := c.forward.Open(body[:c.in]); err != nil {
		return nil, err
	}
	return body[:c.out], nil
}

// passForward makes of a body from the client side the body for the next hop.
func (c *hopCodec) passForward(body []byte) error {
	if err := c.forward.Open(body[:c.in]); err != nil {
		return err
	}
	c.fillIn.fill(body[c.out:])
	return nil
}
