// Package follow keeps a node's view of the directory current: it asks mirrors
// for the newest root, believes what enough of them and enough signers say, and
// takes the bundle from one.
//
// A bridge, gateway or relay makes a Follower over a mirror.Store and a
// directory.View, and runs it. Nothing is shown in the view that was not signed
// by a quorum, named by two mirrors and verified whole.
//
// It does not look anything up: what it asks, and when, depends on the time and
// on what it has, never on what is wanted. It opens no connection, which Opener
// does: over circuits for a bridge that has a directory, directly else. It
// serves nobody (package mirror does) and does not sign (package notary does).
//
// A Follower may be used concurrently.
//
// Implements: docs/spec/directory.md "Following".
package follow
