// Package selling makes a gateway's price sheets: of what its owner wrote down, for
// the models its backend serves, signed by its provider's key, renewed before
// they end.
//
// A List is the file of prices, which ReadList reads and Write writes. A Seller,
// made by Open, watches it while it runs: Named and Sheet are what the directory is
// told, Accept is for whoever admits rounds. Without prices there is no sheet, and
// what the gateway serves is free.
//
// It knows no chain: the unit price is told to it, and what changes when. It does
// not count, charge or publish. A Seller may be used concurrently.
//
// Implements: docs/spec/directory.md §14.
package selling
