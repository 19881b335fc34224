// Package terrain says where members stand in an epoch, and so who repairs the
// event log with whom.
//
// Most callers need Draw, which puts all members of an epoch on a map, and
// Map.Partners. Of gives one member's Address, which Address.Phrase spells for
// people.
//
// A place is cut from a hash under the epoch's control-plane key: it moves at
// every epoch, says nothing to whoever is no member, and cannot be chosen. It is
// no identity, and nothing is stored under it.
//
// The package is pure: what it returns depends on its arguments only. It knows
// no roster, no network and no clock; who is a member is told to it. Functions
// may be called concurrently, each call with a random source of its own.
//
// It implements docs/spec/sync.md, "Terrain".
package terrain
