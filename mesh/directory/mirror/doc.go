// Package mirror keeps the newest bundles of a world's directory and passes them
// on: what relays, memory nodes, gateways and bridges have on disk, and both
// ends of the protocol by which it travels.
//
// A node opens a Store, calls Serve per incoming stream, and keeps the store
// current with package follow (or, if it signs, with package notary). AskRoots,
// AskBundle and Publish are the asker's end.
//
// It is not for looking up one node: there is a request for the roots and one
// for a whole bundle, and two askers in the same state send the same bytes. It
// does not choose whom to ask or whom to believe, reads no descriptor, and knows
// no transport.
//
// A Store may be used concurrently.
//
// Implements: docs/spec/directory.md "Mirrors", "Wire protocol".
package mirror
