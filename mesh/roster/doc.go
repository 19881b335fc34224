// Package roster knows who is a member of a world, and holds the group's keys.
//
// A Roster is the state machine: Append takes signed entries in any order in
// which parents come first, Member and WasMember answer, Forked tells when two
// entries have one parent. A Chain keeps a Roster in a directory. Propose makes
// an entry and seals its new master to each member; a Keyring opens the box that
// is ours and derives the keys of epochs. Invites, Desk and Pool are the way in
// for newcomers, Found the way to begin.
//
// It knows no network: what travels is bytes, of which each type has a
// Canonical method and a Decode function. It knows no directory: who stands as
// a provider is asked through Providers. It holds no opinion of anybody.
//
// Roster, Chain, Keyring, Cosigner, Invites and Pool may be used concurrently;
// entries and what else is handed out is not changed afterwards.
//
// It implements docs/spec/roster.md.
package roster
