// Package backendtest is what every backend.Backend is tested with.
//
// NewUpstream starts a model server on a real TCP port that does what the test
// says, well or badly, and records what reached it. Run is the conformance
// suite: it takes a constructor that puts a Backend in front of an Upstream,
// whatever lies between them, and every Backend passes it. RandomBody makes
// request bodies that a careless forwarder would change.
//
// It is for tests only and knows no Backend in particular. An Upstream may be
// used concurrently.
package backendtest
