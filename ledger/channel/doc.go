// Package channel is one round between who pays and who is paid: the Payer
// opens a round and signs vouchers, the Payee admits it, bounds it, and signs
// its result.
//
// A Payee is asked by a gateway: [Payee.Admit] before the backend sees a
// request, [Round.Progress] while the answer flows, [Round.Finish] at its end,
// and [Payee.Answer] for each frame of the pay stream. A Payer is asked by a
// bridge: [Payer.Open] before a byte leaves, [Payment.Delivered] for what
// arrives, [Payment.Confirm] or [Payment.Abort] at the end. The bytes between
// the two are here as well: the header of a round ([Header]) and the frames of
// the pay stream ([ReadFrame]).
//
// Every operation is a function on records within one Do of the store: what a
// signature, a voucher or an answer depends on is on the disk before it is
// returned, and nothing is remembered between two operations that they need, so that
// several processes may share a store: only multiples of keys that sign often, and
// receipts that have not got to the books. Time is passed in.
//
// The package knows no HTTP, no circuit and no chain: what it needs of them it
// declares ([Chain], [Store]). It keeps hashes, counts and amounts, never a
// prompt or an answer. A Payee and a Payer may be used by any number of
// goroutines, and so may what they return.
//
// Implements: docs/spec/channel.md.
package channel
