// Package chain is the project's only Ethereum client: it reads all that
// happened to the market's contract, and sends the transactions of one wallet.
//
// A [Reader] is made by NewReader and kept by Run; State is what it knows, at
// confirmation depth and as of the newest block, and Fresh says since when. A
// [Writer] is made by NewWriter and kept by Run; Cost says what a [Call] will
// take, Send makes it durable and sends it, Wait follows it to confirmation
// depth. [ParseAddress] reads addresses of Ethereum and of Filecoin.
//
// The server that is asked is not trusted with anything but the chain itself:
// its answers are bounded, and what contradicts itself, comes from another chain
// or contract, or cannot follow from what was read before is an error with a
// name. It learns which contract is read, never which provider or channel: the
// log is read whole, without filters. It cannot be kept from hiding blocks, so
// Fresh is the time of the last complete answer about a young block.
//
// With Config.Witness, a second server, nothing counts that both do not say.
// [ParseQuestion] and Config.Passable are for whoever passes questions of others on
// to a server: they let through what a Reader or a Writer asks, and nothing else.
//
// The package does not know why something is bought or claimed, nor what a voucher
// is worth. All methods of Reader and Writer may be called concurrently; State
// and View never change.
//
// Implements: docs/spec/chain.md.
package chain
