// Package books opens what a bridge that pays, or a gateway that is paid, keeps of
// money: the ledger's store, the reader of the chain, and the wallet.
//
// Open opens all of it, in the order in which it depends on each other; Parts run
// while the program does, and Close closes it. A wallet that cannot be opened is no
// failure: Locked says why, and the program goes on with what is free.
//
// It decides nothing about money, and sends nothing to the chain. A Books may be
// used concurrently until it is closed.
//
// Implements: docs/conventions.md "Stores", docs/spec/wallet.md §5.
package books
