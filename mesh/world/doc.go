// Package world holds what defines an overlay network and names everything in
// it: the world file, the rule bundle, the identifiers, the canonical bytes of
// what nodes sign, and the arithmetic of epochs.
//
// Most callers need Load, which reads a world.toml and checks it; then World.ID
// and World.Epoch. Who publishes or reads descriptors needs SignDescriptor,
// DecodeDescriptor and Descriptor.Verify; package directory does that for them.
// Signed types have a Canonical method and a Decode function that accepts
// exactly what Canonical writes; the codec itself is package postcard.
//
// It knows no network, no store of descriptors and no roles: whether a
// descriptor is current, wanted or allowed is decided elsewhere (mesh/directory),
// and only file functions touch the disk. It holds no score of anybody.
//
// All functions and methods may be called concurrently; a *World is not changed
// after New or Load.
//
// It implements docs/spec/world.md.
package world
