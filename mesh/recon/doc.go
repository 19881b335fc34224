// Package recon finds out in what two sets of ids differ, with as few bytes as
// possible, whatever the other side says.
//
// Fingerprint is kept beside a set and changes with it: equal sums mean equal
// sets. It is a plain value: copies are independent, and none is safe for
// concurrent use. ShortID names an id in 8 bytes for one session.
//
// It is not a protocol: it computes on bytes that somebody else carries, and
// has no clock, no network and no goroutine. It doesn't know what the ids name.
//
// It implements docs/spec/sync.md section "Reconciliation".
package recon
