// Package sandbox is the program sandbox: a whole world on this machine, for
// trying and testing. It makes keys and a world file, starts relays,
// providers and a bridge as processes of their own (or as goroutines), waits
// until a request will succeed, says what to paste, and stops everything in
// order when it is told to.
//
// Command is its command line; Run does the same for callers in Go. The world
// it makes has sandbox = true: everything is on loopback, paths may be shorter
// than anywhere else, and the demo model may be served.
//
// It is not for a world that anybody else uses. It must not know how a node
// works inside: it writes the same files a person would, and asks nodes only
// what their status says.
//
// Implements: docs/conventions.md "Processes", "Ports".
package sandbox
