// Package reference has the programs that the product is measured beside: what
// Go's standard library does when it is asked to carry the same requests.
//
// Proxy is an httputil.ReverseProxy. A floor chain is Proxy, Relay, Relay, Proxy:
// as many processes as a bridge, an entry, a middle and a provider, with no
// cryptography, no cells and no rules in them. What it takes is the least that
// a path of this length can take.
//
// They are for benchmarks: they check nothing that a client or a server says.
package reference
