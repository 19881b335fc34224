// Package pricing reads what providers ask for, where the directory, which knows
// price sheets as bytes, and the ledger, which knows them as prices, meet.
//
// A Book answers for one market, the contract of the bridge's world: Offer is the
// sheet that counts for a node now, Price what one of its models costs. Whoever
// pays takes the Offer; what is shown to people and listed for apps is Price.
//
// It checks who signed, and compares with what the contract says; it moves no
// money, opens no connection and chooses nobody. A Book may be used concurrently.
//
// Implements: docs/spec/directory.md §13.
package pricing
