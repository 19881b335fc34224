// Package notary is a directory signer: it takes publications, and signs with
// the others one root per epoch for what is known.
//
// A memory node that signs makes a Notary and runs it, gives the requests of
// other signers to Answer, publications to a Desk, and descriptors that came by
// gossip to the directory.Set that all share. Signers take turns: the one whose
// turn it is builds a bundle, has the others look at it, and asks for their
// signatures once enough of them would sign; the next steps in after a while.
//
// It is no agreement protocol: votes may be split, and an epoch then has no root
// (docs/design/roots.md says why that is right). It opens no connection, which
// Peers does, holds no score, and does not decide who signs: the world's charter
// does.
//
// A Notary and a Desk may be used concurrently.
//
// Implements: docs/spec/directory.md "Signers", "Publications".
package notary
