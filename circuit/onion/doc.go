// Package onion is the cryptography of a circuit: the handshake with one hop,
// the key schedule, and the layers around each cell.
//
// A client calls Initiate, sends Create, and gives the answer to Finish; a
// relay calls Respond. Both then make a Layer per direction from the Keys.
// The handshake has the shape of ntor version 3 (Tor proposal 332): a one-way
// authenticated X25519 exchange, with our own key derivation (HKDF-SHA256,
// RFC 5869) and layer (ChaCha20-Poly1305, RFC 8439). There is no negotiation:
// the suite is the world's.
//
// The package does no I/O, has no clock and starts no goroutine, and must not
// know what a cell carries or who its neighbours are. Functions may be called
// concurrently; a Layer has one owner. Spec: docs/spec/circuit.md §2 and §3.
package onion
