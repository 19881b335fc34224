// Package observer is the program observer: a member of its world that watches
// and remembers. It keeps the event log, brings it to the same state as other
// members' and serves it to them; it admits new members and evicts old ones for
// its owner.
//
// Command is its command line; Init, Create and Join make a data directory and
// Serve runs on one, for callers in Go. In between is wiring: what the mesh
// host, directory, circuits and the member's parts (internal/app/member) need of
// one another, in the order in which they start and stop.
//
// It carries nobody's circuits and serves no model: circuits end at it, with
// questions to the directory and sessions of sync. Commands talk to the running
// daemon through its admin socket, or open the files when none runs.
//
// Implements: docs/conventions.md, docs/spec/circuit.md "Streams" (kinds 1 and
// 2), docs/spec/world.md and docs/spec/roster.md (the owner's side).
package observer
