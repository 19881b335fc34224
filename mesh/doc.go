// Package mesh is a node's place on the network: one libp2p host that opens
// authenticated, multiplexed streams to other nodes and accepts them. It is
// the only package of the program that imports libp2p; everything above it
// sees plain streams, 32-byte keys and address strings.
//
// New makes a Host, Open gives a Stream to a node whose key and addresses the
// caller names, Handle serves a protocol. Links are TCP with Noise and yamux, or QUIC.
// A relay uses the server profile (identify and our own protocols, nothing
// else); a bridge uses the quiet one (Config.Quiet), which listens nowhere,
// lives under a key that dies with it and serves no protocol at all.
//
// Push makes the host a place of its members' push: what one publishes under a
// topic reaches all that subscribed to it. KeepLinks keeps the links that it
// runs over.
//
// The package knows nothing of circuits, directories, HTTP or money: what a
// protocol says is its handler's business. It never looks an address up, never
// learns one from a peer and never dials one that the caller did not name.
//
// A Host and a Stream may be used concurrently, with the usual exception of
// net.Conn: one reader and one writer per stream.
//
// Implements: docs/spec/circuit.md "Links" and docs/spec/push.md.
package mesh

// The protocols of the network. A protocol's last element is its major
// version: a change that old nodes would misread gets a new one.
const (
	ProtoCircuit = "/culvert/circ/1" // onion cells, one stream per circuit and link
	ProtoMirror  = "/culvert/dir/2"  // the signed directory: roots, bundles, publications
	ProtoSign    = "/culvert/sign/1" // directory signers among themselves
	ProtoPush    = "/culvert/push/1" // events among members, as they happen
	ProtoSync    = "/culvert/sync/1" // members, making their event logs the same
	ProtoSeal    = "/culvert/seal/1" // signers that are members, closing an epoch
	ProtoJoin    = "/culvert/join/1" // a newcomer with an invite asks to become a member
)
