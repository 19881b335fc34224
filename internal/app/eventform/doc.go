// Package eventform writes events in forms that other programs read, and reads
// them back: JSON for people and scripts, protobuf for programs of the design's
// reference. Neither is ever hashed or signed: an event is its canonical bytes, and
// what is read here becomes those, whose ids are then recomputed.
//
// ToJSON and ToProto take canonical bytes; FromJSON and FromProto give them back
// and check form only: event.Decode does the rest. All four walk one table, which
// has every field in canonical order with its name.
//
// It must not keep, verify or judge events. All functions may be called
// concurrently.
//
// Implements: docs/spec/event.md "Export".
package eventform
