// Package claim brings vouchers to the chain when that is worth it, and each of
// them once.
//
// Plan decides, from what is due and what gas costs: it is pure. A Claimer asks
// it again and again, within Run, and has its Chain send what comes out. What is
// on its way is in the store before it is sent, so that neither a crash nor
// another gateway of the same provider claims it a second time. A claim that
// did not happen, or that a fork undid, is due again.
//
// It does not know transactions: nonces, fees that are raised and blocks that
// fork are the Chain's. Nor does it judge vouchers. One Claimer is run by one
// goroutine; several programs may share a store.
//
// Implements: docs/spec/claims.md.
package claim
