// Package protobuf carries events in the messages of the TerrainGossip
// reference, for whoever speaks to it: Encode and Decode of one event.
//
// Protobuf is a way to carry an event and nothing else. What is hashed, signed
// and kept is the canonical form: Decode builds the event's own type, encodes it
// anew, and accepts it only if package event does, with the id it came with.
//
// It knows no network and no other message of the reference. The functions may
// be called concurrently.
//
// It implements docs/spec/event.md §6.
package protobuf
