// Package gossip makes the event logs of a world's members the same: new events
// are pushed in batches, and what a push missed is found and fetched by sync.
//
// Most callers need a Syncer, which repairs the log with partners it chooses,
// with Syncer.Serve for sessions that others open; and a Pusher. Initiate and
// Respond are one session each, over any stream.
//
// It is no store and no judge: what is an event, and whether it is taken, is the
// Log's business; who is a member, and which keys are in force, the Group's. It
// opens no connection and knows no address. It draws no conclusion from events.
//
// All methods of Syncer and Pusher may be called concurrently; a session has a
// stream of its own.
//
// It implements docs/spec/sync.md.
package gossip
