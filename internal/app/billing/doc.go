// Package billing is a gateway's till, where requests that come in through the
// tunnel meet the ledger: a request is admitted if it is paid for, its answer goes
// on while it is, and its result is signed.
//
// Open makes a Till. It is the tunnel's Biller; Serve answers the pay streams beside
// the requests, which carry vouchers in, and wishes for money and results out; Run
// keeps the books tidy.
//
// What is owed and what may be admitted is decided by ledger/channel; what is
// claimed, and when, is not decided here at all. It keeps no word of a request or an
// answer: it hashes them as they pass. A Till may be used concurrently.
//
// Implements: docs/spec/tunnel.md §10, docs/spec/channel.md §2 to §4.
package billing
