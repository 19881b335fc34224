// Package script is what the load generator and the mock upstream have agreed
// on: how a prompt orders an answer, and what the answer then must be.
//
// The generator writes an Order into a prompt (Order.Prompt), the upstream reads
// it (Parse) and writes tokens (AppendToken). Every token holds the order's
// nonce, its own number and the time at which it was written, so that whoever
// reads the answer can tell a token of another request, one that is missing, two
// that were swapped, and how long each was under way.
//
// It knows neither HTTP nor JSON. Its text needs no escaping in JSON. All of it
// may be used concurrently.
package script
