// Package store keeps what payer, payee and claims must not lose, in any
// kv.Store, and commits for all of them together: a disk flush is shared by
// those who wait for it.
//
// Open begins; Do runs a function on the records and returns when what it wrote
// is on the disk; View only reads. Restored says that the store is an older
// copy of itself, which a second file remembers better: then nothing may be
// signed about what it may have forgotten, until that was dealt with and
// Settle was called.
//
// Functions of many callers make one kv.Update, one after the other, each on a
// layer of its own: an error of one undoes what that one wrote, and nothing
// else. What a function reads is what was written before it, by those of its
// group too; none of them is told anything before the group is durable. Nothing
// is remembered from one group to the next, so that several programs may share
// a store that can be shared.
//
// It knows no record and no format of one: they belong to the packages that
// keep them. All methods may be called concurrently. Whoever opened the
// kv.Store closes it, after Close.
//
// Implements: docs/spec/store.md.
package store
