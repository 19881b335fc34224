// Package eventlog is a node's log of signed events: append-only, addressed by
// content, one bucket of a bbolt file per epoch. It admits events, keeps them,
// tells what it has for reconciliation, and forgets whole epochs when they fall
// behind the world's horizon, for good.
//
// Open opens a log; Admission.Ingest is the way in for what others send, Scan
// the way out for whoever folds events into something. Add stores what was
// admitted before. Fingerprint and IDs are what sync compares.
//
// It knows no network, no peer and no key of its own, and draws no conclusion
// from what it stores: beliefs are another package's. It starts no goroutine that
// outlives a call. It imports bbolt instead of internal/kv, because a million
// records, appends in bulk and dropping an epoch at once need buckets of their
// own.
//
// All methods of a Log and an Admission may be called concurrently. Calls of Add
// that come together share one transaction and one flush of the disk.
//
// Implements: docs/spec/log.md.
package eventlog
