// Package market does on the chain what a person asks a bridge or a gateway for:
// register, buy, top up, close, refund, claim, withdraw, slash, and the like.
//
// A Market is made of a program's books. Quote says what an Order will cost, Do
// does what was agreed to and tells how far it is, Seen forgets it. Asked again
// after it was interrupted, by whatever, Do finds what was sent and goes on waiting:
// an order is sent once, until somebody has seen what became of it. Desk is a
// command's way to a Market: that of the running program, over its admin socket, or
// one of its own in the data directory.
//
// It decides nothing that nobody asked for, opens no store, and keeps no key: a
// wallet that the program has not opened is open for one order. What is worth a
// claim is decided by ledger/claim, what a transaction is by ledger/chain. A Market
// may be used concurrently.
//
// Implements: docs/spec/market.md.
package market
