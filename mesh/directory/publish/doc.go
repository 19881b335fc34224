// Package publish tells directory signers who its own node is: it signs the
// node's descriptors for each epoch, computes the epoch's stamp, and publishes
// both wherever the world file sends newcomers.
//
// A node makes a Publisher and runs it, and calls Changed when it has something
// else to say. What it said last is on disk, so that a restart does not make it
// contradict itself.
//
// It does not learn who else is there (package follow does), and opens no
// connection, which Opener does. A Publisher may be used concurrently.
//
// Implements: docs/spec/directory.md "Publications", "Merging" (seqs of our own
// nodes).
package publish
