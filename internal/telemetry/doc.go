// Package telemetry holds a program's metrics and serves them in Prometheus'
// text format.
//
// New makes a Registry; Watch adds figures that a component already keeps and
// that are read when somebody asks; Client and Server add the histograms of
// requests, under the names of OpenTelemetry's semantic conventions for
// generative AI, as OpenTelemetry writes them for Prometheus (dots become
// underscores, units are appended). Families lists what was added.
//
// A label's values are a closed list: what is not on it is counted as "other".
// A model is the one exception; it is counted by its id only if it was answered
// and is listed as served here, and only so many are. No label holds a peer, an address, a
// key or text of a request, so that a page of metrics may be shown around.
//
// It must not know the components whose figures it serves. Everything may be
// called concurrently.
//
// Implements: docs/spec/metrics.md.
package telemetry
