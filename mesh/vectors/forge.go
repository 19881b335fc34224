package vectors

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"fmt"
	"math/big"
	"slices"

	"github.com/culvert-net/culvert/mesh/event"
	"github.com/culvert-net/culvert/mesh/world"
	"github.com/culvert-net/culvert/mesh/world/postcard"
)

// forger collects bytes that nobody should accept, and the first thing that
// went wrong with making them.
type forger struct {
	list []example
	err  error
}

// add takes the bytes of a type.
func (f *forger) add(name, typ string, b []byte) {
	f.list = append(f.list, example{"refused_" + name, "refused", refusedIn{Type: typ, Bytes: b}})
}

// body puts forged bytes of a body into an envelope that fits them.
func (f *forger) body(name string, like *event.Event, body []byte) {
	f.add(name, "event", envelope(like.World(), like.Epoch(), like.Type(), body))
}

func envelope(w world.Hash, epoch uint64, typ event.Type, body []byte) []byte {
	id := world.Sum(body)
	b := slices.Concat(id[:], w[:])
	b = postcard.AppendUint(b, epoch)
	return append(postcard.AppendUint(b, uint64(typ)), body...)
}

// signed is an event of ours.
func (f *forger) signed(e *event.Event, err error) *event.Event {
	if err != nil {
		f.err = err
		return event.New(&event.Dispute{}) // nobody sees it
	}
	return e
}

// splice replaces the one place where old stands.
func (f *forger) splice(b, old, with []byte) []byte {
	if n := bytes.Count(b, old); n != 1 {
		f.err = fmt.Errorf("forging: %x stands in %d places", old, n)
	}
	return bytes.Replace(b, old, with, 1)
}

// changed is an event whose body was changed after it was signed.
func changed[B event.Body](e *event.Event, change func(B)) []byte {
	change(e.Body.(B))
	return event.New(e.Body).Canonical()
}

// resigned has a signature over other bytes than those under it.
func resigned(in disputeIn, message func([]byte) []byte) func(*event.Dispute) {
	return func(d *event.Dispute) {
		d.Signature = [ed25519.SignatureSize]byte(ed25519.Sign(in.key(), message(event.SignedMessage(d))))
	}
}

// stretched adds the order of the group to the second half of a signature: an
// equation that holds as well, and another event if it were accepted.
func stretched(sig [ed25519.SignatureSize]byte) [ed25519.SignatureSize]byte {
	// 2^252 + 27742317777372353535851937790883648493, of RFC 8032 §5.1
	order, _ := hex.DecodeString("1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3ed")
	half := slices.Clone(sig[32:])
	slices.Reverse(half)
	sum := new(big.Int).Add(new(big.Int).SetBytes(half), new(big.Int).SetBytes(order))
	sum.FillBytes(half)
	slices.Reverse(half)
	copy(sig[32:], half)
	return sig
}
