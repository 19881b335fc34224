// Package eventform writes events as JSON, for people and scripts, and reads them
// back. JSON is never hashed or signed: an event is its canonical bytes, and what is
// read here becomes those, whose ids are then recomputed by whoever decodes them.
//
// ToJSON takes canonical bytes; FromJSON gives them back and checks form only:
// event.Decode does the rest. Both walk one table, which has every field in
// canonical order with its name. (Protobuf is mesh/event/protobuf's.)
//
// It must not keep, verify or judge events. All functions may be called
// concurrently.
//
// Implements: docs/spec/event.md "As JSON".
package eventform
