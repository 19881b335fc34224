// Package purse says which session key pays which provider for whom.
//
// A purse is a provider's channels that one session key signs for. The default
// purse pays for every API key that has none of its own, so that what is bought is
// shared; a purse of an account pays for that API key alone, and the provider cannot
// tell that the two are of one bridge. Open is for who buys, Find for who pays, Key
// is what a channel.Payer asks.
//
// Keys are derived from the wallet's session root; what is kept is which path each
// comes from. It knows no balance and no chain. A Book may be used concurrently.
//
// Implements: docs/spec/wallet.md §3.
package purse
