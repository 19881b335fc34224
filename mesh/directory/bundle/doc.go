// Package bundle is the directory of one epoch as directory signers vouch for
// it: all descriptors that live and the price sheets they name, sorted, under one
// Root.
//
// Signers make Leaves, fill in a Root and have its Statement signed; New puts
// the two together and refuses leaves that are not the root's. Who has a bundle
// and wants the next takes a Delta (Diff, Leaves.Apply). Encode and Decode are
// for files.
//
// It does not look into descriptors: whether one is valid and of the epoch is
// package directory's to say. It knows no network, no clock and no roles. All
// values are immutable and may be used concurrently.
//
// Implements: docs/spec/directory.md "Roots and bundles".
package bundle
