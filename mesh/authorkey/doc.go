// Package authorkey checks Ed25519 signatures exactly as crypto/ed25519 does, in
// half the time for keys that sign much: of such a key it keeps multiples.
//
// New makes a Checker, whose Verify stands for ed25519.Verify.
//
// It is not for signing, nor for anything that is secret: its time depends on what
// it is given. It decides about nothing but signatures: whose key it is, is the
// caller's affair.
//
// A Checker may be used concurrently.
//
// It implements docs/spec/log.md "Admission", and docs/design/log.md says why.
package authorkey
