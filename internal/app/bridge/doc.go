// Package bridge is the program bridge: the address on a person's machine that
// unchanged OpenAI clients talk to. In a world it sends every request through
// an onion circuit to a provider; in local mode, which has to be asked for, it
// serves a model server of one's own and says so.
//
// Command is its command line; Serve runs it for callers in Go. In between is
// wiring: what circuits, directory, tunnel and API need of one another, in the
// order in which they start and stop.
//
// It never falls back: a bridge of a world has no code path from a request to
// anything but a circuit.
//
// Implements: docs/spec/api.md, docs/spec/circuit.md "Links" (the client's
// hosts), docs/conventions.md.
package bridge
