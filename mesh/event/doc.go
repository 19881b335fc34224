// Package event holds what members of a world tell one another: receipts and
// attestations of probes, disputes, link hints, rule endorsements, published
// descriptors, and the three messages of training. It has their canonical
// bytes, ids, bounds and signatures.
//
// Who writes an event calls the Sign function of its kind; who reads one calls
// Decode, which does everything that is cheap, and then Event.Verify. One event
// has one encoding: what Decode accepts, Event.Canonical writes again.
//
// It knows no clock, no store, no network and no members: whether an event's
// epoch is near, its author a member or its quota used up is decided by package
// eventlog. No event has a field that holds anybody's score, and none holds a
// handle.
//
// All functions may be called concurrently; an *Event and its body are not
// changed once they are made.
//
// It implements docs/spec/event.md.
package event
