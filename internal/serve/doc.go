// Package serve runs the HTTP servers of a program on this machine's own
// addresses: the local API, the status page, the debug server and the
// admin socket through which commands talk to a running daemon.
//
// Listen and ListenAdmin bind, and fail before anything else has started; Run
// serves one handler on any number of listeners until its context ends, and
// then lets running requests finish. Status makes the handler of a status
// page, Debug that of pprof; Ask and Tell are the other end of the admin socket.
//
// It must not know what is served: no route of the API, no circuit, no world.
// What it binds is loopback or a socket file of the same user, unless a caller
// that checks keys asks for more (ListenAll). All functions may be called concurrently.
//
// Implements: docs/spec/api.md "Local safety" (binding), "Routes" (probes).
package serve
