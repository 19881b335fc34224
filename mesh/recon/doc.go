// Package recon finds out in what two sets of ids differ, with as few bytes as
// possible, whatever the other side says.
//
// There are three means, tried in this order. A Fingerprint is kept beside a set
// and changes with it: equal sums mean equal sets. An Encoder turns one set into
// coded cells, of which a Decoder of the other set needs as many as there are
// differences, and half as many again. Ranges compare full ids where cells did
// not decide, or decided wrongly. Encoder.First and Decoder.First, Want, Next
// are one side of a session; the example shows a whole one.
//
// A result of cells or ranges is what the other side said. That it is true is
// known when the fingerprints are equal, after what differed was exchanged and
// verified.
//
// It is not a protocol: it computes on bytes that somebody else carries, and
// has no clock, no network and no goroutine. It doesn't know what the ids name.
// It bounds bytes, memory and steps (Limits); time is the caller's to watch,
// between messages.
//
// Nothing here is safe for concurrent use, but different values are independent;
// a Fingerprint is a plain value. A Storage must not change while it is compared.
//
// It implements docs/spec/sync.md section "Reconciliation"; the cells are those
// of "Practical Rateless Set Reconciliation" (arXiv 2402.02668), "the paper" in
// comments.
package recon
