// Package seal closes epochs: t of the n directory signers say, once and for
// all, which events an epoch has. What comes later stays outside for everybody.
//
// A Book keeps the seals that are known, applies them to the log and is what
// members hand on to one another. A member that signs also runs a Signer, and
// gives the requests of other signers to Answer: signers take turns, the one
// whose turn it is says what it holds, the others say in what they differ, and
// when t of them hold the same they sign.
//
// It is no agreement protocol: an epoch over which t signers do not come to
// agree has no seal (docs/design/seals.md). It opens no connection, which Peers
// does, and knows nothing of what events say.
//
// A Book and a Signer may be used concurrently.
//
// Implements: docs/spec/seal.md.
package seal
