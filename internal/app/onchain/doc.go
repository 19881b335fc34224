// Package onchain is what a program is told about the chain that its money is on:
// the [chain] section of bridge and gateway, joined with the world's charter.
//
// A program puts a Config (a gateway a ProviderConfig) into its own, and calls Join
// with its world: it gets Settings, or nil where there is no money, or what does not
// fit. Settings.Status is what status says.
//
// It is not the chain's client (ledger/chain), opens no connection and holds no key.
// All values may be used concurrently once they are made.
//
// Implements: docs/spec/wallet.md §5.
package onchain
