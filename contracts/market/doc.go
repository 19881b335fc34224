// Package market is the contract Market.sol as Go sees it: its bytecode, its
// ABI, and functions that write calls and read events.
//
// Most callers make a [NewMarket], take its Instance at an address, and hand
// what the Pack functions return to bind.Transact and bind.Call. [Deploy]
// brings a new contract to a chain, and [Runtime] says what code it has there.
//
// Nothing here decides anything: what is claimed, when, and whom to believe
// about the chain is the business of ledger/chain and ledger/claim. Values may
// be used concurrently.
//
// Implements: docs/spec/contract.md.
package market

// Everything but the Go bindings comes from the Solidity compiler, which needs
// Node.js; the bindings come from the ABI and the bytecode that it wrote.
//
//go:generate npm ci --prefix .. --ignore-scripts --no-audit --no-fund
//go:generate node ../compile.mjs
//go:generate go test -count=1 -run ^TestBindings$ . -update
