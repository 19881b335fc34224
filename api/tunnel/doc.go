// Package tunnel carries one HTTP request over one circuit stream: both ends
// of it, and the strict dialect between them.
//
// NewClient gives the asking side, a backend.Backend: Do chooses a provider,
// dials it, removes what would tell people apart, sends the request and
// returns as soon as the provider has committed to an answer; it asks a second
// provider if, and only if, nothing of a first answer was seen. NewServer gives
// the answering side: Run accepts streams and serves a backend.Backend on each
// until its context ends.
//
// The dialect is HTTP/1.1 as net/http writes and parses it, one request per
// stream, without a pool, redirects or re-sending. net/http drops some of what
// must be refused without a word, so a scanner reads the raw head and the chunk
// sizes first, at both ends.
//
// The package must not know how streams come about (circuits, relays, peers),
// what money is, or which provider is best: those arrive through Dialer, Router,
// Acceptor, Payer and Biller. What a provider says is never trusted: status, two media types and
// a few numbers pass, an error's text is rebuilt.
//
// A Client and a Server may be used by any number of goroutines. Spec:
// docs/spec/tunnel.md; circuit.md, Streams.
package tunnel
