// Package rules tells from the endorsements in the log which other rule bundles
// a world's members want, and since when enough of them do.
//
// Fold is the one entry: it takes endorsements and the members of each epoch and
// returns how every bundle stands. It is for showing people and for acting on
// their own choice, not for changing anything: a bundle that is active here is
// another world's, and whoever wants it goes there.
//
// It is pure: no clock, no network, no state. The same endorsements in any order
// give the same result, so members who hold the same log see the same, and
// members who set other thresholds see why they differ.
//
// It implements docs/spec/rules.md.
package rules
