// Package member joins what makes a node a member of its world: the roster and
// the group's keys, the event log with its admission, sync and push, and the way
// in for newcomers. The observer and the bridge use it; the gateway program must
// not.
//
// Open opens the files of a data directory and is all that commands need; Start
// makes of it what runs: sessions that others open and that it opens, push,
// requests to join, and upkeep. Join is a newcomer's side.
//
// It is wiring: what is valid is decided in mesh/roster and mesh/eventlog, how
// logs become the same in mesh/gossip. It knows no requests to models and no
// circuits; streams come from whoever opens them. Logs, figures and errors never
// hold a key, and name members by the beginning of their public key.
//
// A Member may be used concurrently.
//
// Implements: docs/spec/roster.md and docs/spec/sync.md (their seams),
// docs/spec/member.md.
package member
