// Package wallet is a program's money key on the disk: of a bridge the funder of
// channels and the root of its session keys, of a gateway the provider.
//
// Create and Import make the keystore of a data directory, Look reads what is not
// secret, Open opens it with the passphrase. Commands are `wallet …` of both
// programs. A Wallet gives the key and, of a bridge, Session keys, which come from
// the root: nothing else has to be backed up.
//
// It is not for API keys (internal/app/keystore) nor a node's identity, and knows
// no channel's state: which counter is next is the payer's business. A Wallet is
// immutable and may be used concurrently.
//
// Implements: docs/spec/wallet.md.
package wallet
