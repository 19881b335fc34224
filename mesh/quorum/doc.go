// Package quorum lets t of the n directory signers of a world say one thing
// where there is room for one only: the directory's root of an epoch, the seal
// of an epoch.
//
// A Statement fills a Slot with the hash of a content. A signer keeps a Memory,
// which is on the disk before a signature exists, and signs with Memory.Sign: of
// one slot never two statements. Whoever holds signatures adds them to a Signed
// and asks Signed.Verify whether they are enough. Two statements of one slot
// that a signer signed both are a Contradiction, which proves who it was.
//
// It is no agreement protocol: if the signers' votes are split, a slot stays
// empty for ever, and that is what its users count on. It knows no network, no
// clock and no content.
//
// A Memory may be used concurrently; values are immutable but for Signed.Add.
//
// Implements: docs/spec/directory.md "Statements of signers".
package quorum
