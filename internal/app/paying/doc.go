// Package paying is a bridge's purse-bearer, where requests that go out through the
// tunnel meet the ledger: what a request may cost is set aside before it leaves, the
// provider's result is checked, and the voucher that confirms it is sent.
//
// New makes a Payer. It is the tunnel's Payer; Run settles what is left behind the
// answers, and keeps the books tidy; CanPay is for whoever chooses providers, Status
// for people.
//
// What is owed, promised and believed is decided by ledger/channel; what is bought
// by internal/app/market. It keeps no word of a request or an answer: it hashes them
// as they pass. Nothing but the setting aside, and the result behind a whole answer,
// is on a request's path. A Payer may be used concurrently.
//
// Implements: docs/spec/tunnel.md §10, docs/spec/channel.md §2, §6.
package paying
