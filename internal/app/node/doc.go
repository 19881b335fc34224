// Package node joins the pillars: what the programs have in common once they are
// part of a world.
//
// Links gives package circuit its neighbours out of a mesh host and the
// directory; Paths gives it its hops; Router, Dialer and Acceptor give the
// tunnel its providers and its streams; Seeds gives the directory client its
// first contacts. Each is a few lines between two interfaces, and this is the
// only place where both sides are known. EnsureKey, Reach, Listen and the Watch
// functions are what every node has that others connect to: an identity,
// addresses, a host and figures.
//
// It must not parse requests, keep keys but the node's own, know of members, or
// choose policy that a pillar could choose. All types may be used concurrently.
//
// Implements: docs/spec/circuit.md "Links", "Choosing and keeping circuits"
// (uniform choice), "Handshake and keys" (whom a relay may dial).
package node
