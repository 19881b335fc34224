// Package directory knows who is in a world: it makes, checks and merges the
// descriptors in which relays, providers and members say how they are reached and
// what they serve.
//
// A node that is in the directory says so by Build, with the onion keys of a
// Keyring. A signer merges what nodes say in a Set. Everybody else takes a
// Snapshot per decision of a View, which shows the Content of the newest bundle
// that was believed. Verify is the step underneath.
//
// The packages below it do the rest: bundle has the form of what signers sign,
// notary makes it, mirror keeps and serves it, follow fetches and judges it, and
// publish tells signers of a node. It is not for looking anything up at anyone:
// everybody has the whole, so that what is asked for says nothing of what is
// wanted. It knows no transport, holds no score, and does not choose (package
// route does).
//
// Set, Keyring and View may be used concurrently; a Snapshot and what it returns
// is immutable.
//
// It implements docs/spec/directory.md §1 to §3.
package directory
