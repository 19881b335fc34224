// Package signers checks signatures exactly as ledger.Signature.Recover does, in
// less than half the time for keys that sign often: of such a key it keeps multiples.
//
// New makes a Checker, whose Signed stands for a comparison with what Recover
// returns.
//
// It is not for signing, and sees nothing that is secret. Whose signature is
// wanted is the caller's affair, and so is what becomes of a bad one.
//
// A Checker may be used concurrently. Its memory is bounded, whoever signs.
//
// It implements docs/spec/ledger.md §4, and docs/design/money.md says why.
package signers
