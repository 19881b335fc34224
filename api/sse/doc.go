// Package sse reads and writes server-sent events without changing them.
//
// NewReader and Reader.Next split a stream into whole events and keep every
// byte, whatever its line ends are; Reader.Buffered tells a writer whether
// another event is there already, so that what arrived in one read can leave
// in one write. AppendError, Heartbeat, NoOp and Done are the pieces this
// program adds to a chat stream by itself.
//
// The package knows no HTTP and does not look inside data, save for [DONE].
// A Reader belongs to one goroutine. Spec: WHATWG HTML §9.2 (parsing), and
// docs/spec/api.md, Streams.
package sse
