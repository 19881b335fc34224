// Package moving swaps the world of a data directory: what belongs to the old
// one goes into a directory of its own, and what was kept of the new one, if this
// node was there before, comes back.
//
// Swap does it, and Finish completes one that was cut short; internal/app calls
// it whenever a data directory is opened. Until Swap has written down what it is
// about to do, the old world is in place; from then on the new one is, for
// whoever opens the directory.
//
// It knows names of files and no worlds: which files belong to one is its callers'
// business. Its functions want the directory's lock to be held, so that nobody
// runs on it.
//
// Implements: docs/spec/rules.md section 6.
package moving
