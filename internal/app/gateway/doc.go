// Package gateway is the program gateway: a machine that others use. As relay
// it passes circuits on; as provider it ends them, and answers requests from a
// model server behind it; it may be both.
//
// Command is its command line; Init makes a data directory and Serve runs on
// one, for callers in Go. In between is wiring: what the mesh host, directory,
// circuits, tunnel and backend need of one another, in the order in which they
// start and stop.
//
// A relay must be unable to know what it carries: nothing here reads a cell.
// The key file is read by this package only.
//
// Implements: docs/spec/circuit.md "Handshake and keys" (roles, what a relay
// dials), docs/spec/directory.md (publishing), docs/conventions.md.
package gateway
