// Package ledger is what payer, provider and contract agree on: amounts of
// money, the identity of a channel, and the messages they sign, down to the
// byte.
//
// Most callers fill a Voucher, Release, Close, Request or Result, call [Sign]
// with the [Domain] of the deployed contract, and send the Bytes of what comes
// out; the other side calls [DecodeSigned] and Signer, and compares the address
// it gets with the one it expects. The contract recovers the same address from
// the same digest.
//
// Everything is a pure value: no I/O, no clock (times are passed in as Unix
// seconds), no goroutine. Whether a voucher is good enough, what is stored, and
// what goes to the chain is decided elsewhere. Values may be read
// concurrently; who writes one owns it.
//
// Implements: docs/spec/ledger.md.
package ledger
