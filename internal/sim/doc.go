// Package sim runs worlds of a hundred thousand members on paper: how an event
// of the log spreads by push, what stays behind, and how repair brings it.
//
// Run plays one Config to its end and returns a Result. Everything happens in
// one loop over a queue of its own, on milliseconds that exist only there: no
// goroutine, no clock, one seeded source of chance, so the same Config gives the
// same Result, with the same Trace.
//
// What decides is the code that nodes run, where it is pure: who repairs with
// whom is mesh/terrain's. What is modelled, and how far that may be believed,
// stands in docs/design/simulation.md: links, latencies, gossipsub's mesh and
// offers, and a sync that finds what two logs lack. It is no test of bytes.
//
// Its tests are tier 1 (this package) and tier 2 (real hosts, through
// mesh/meshtest); `make sim` runs all seeds and prints figures beside bars.
//
// Run may be called concurrently; a Result is the caller's.
package sim
