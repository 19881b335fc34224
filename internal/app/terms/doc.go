// Package terms says what a request can use at most, and what an answer used, in
// the ledger's words. Both ends of a paid round ask it, about the same bytes, so
// that neither refuses what the other took for granted.
//
// Of is for a request as it travels in the circuit, Usage and Delivery for what a
// meter counted of its answer.
//
// It reserves nothing and knows no price. Its functions are pure.
//
// Implements: docs/spec/channel.md "What a request can use".
package terms
