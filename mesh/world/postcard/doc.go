// Package postcard writes and reads the canonical bytes of everything that is
// hashed or signed: the postcard wire format, without the freedoms it leaves.
// One value has one encoding, and a decoder accepts no other.
//
// To encode, append field after field: AppendUint, AppendString, AppendArray
// and so on, in the order the type declares. To decode, make a Decoder, call
// its methods in the same order, and look at the error once, from Finish: after
// the first error every method returns a zero value and consumes nothing.
//
// It is not a serialiser: there is no reflection, no map, no optional field
// that may be left out, and it knows none of the types it carries. Callers sort
// repeated fields before they encode and check the order when they decode
// (Decoder.Fail with ErrOrder).
//
// The functions may be called concurrently; a Decoder belongs to one goroutine.
//
// It implements docs/spec/world.md §1.
package postcard
