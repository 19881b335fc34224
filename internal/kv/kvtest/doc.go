// Package kvtest is what every implementation of kv.Store has to pass: Run
// holds the contract of transactions, buckets and scans, Write and Verify are
// the two halves of a test that kills the process which writes.
//
// It is for tests only, and knows no implementation.
package kvtest
