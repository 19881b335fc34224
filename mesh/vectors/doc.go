// Package vectors checks and writes test vectors: files that say, for known
// inputs, which canonical bytes, ids, keys and signatures come out, with every
// value in between. Whoever writes another implementation starts from them.
//
// Check reads a file of the TerrainGossip reference or of ours and gives a line
// for each vector. Write makes ours, the same bytes every time.
//
// It is no test of itself: what it computes comes from mesh/world, mesh/event,
// mesh/quorum and mesh/terrain, which have tests of their own; that the numbers are right is
// shown by an implementation in another language, in internal/e2e/vectors. It
// touches neither disk nor network, and keys in vectors are not for use.
//
// All functions may be called concurrently.
//
// It implements docs/spec/vectors.md.
package vectors

//go:generate go test -count=1 -run ^TestOurs$ . -update
