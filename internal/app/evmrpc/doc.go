// Package evmrpc carries questions about the chain over circuits: from a bridge that
// does not run a node of the chain, and tells nobody where it is, to gateways that
// do, and pass them on.
//
// A gateway makes a [Desk], whose Run watches its own node, and whose Serve answers;
// it says so in the directory (directory.Node.ChainRPC) while Alive. A bridge makes a
// [Road]: Asked and Compared are the http.RoundTrippers of ledger/chain's Transport
// and Witness, and Failed its Failed. The Road chooses two providers, neither of
// which is paid by this bridge, measures them before they are asked, and changes
// those that are silent, or that ledger/chain does not believe.
//
// What may be asked is ledger/chain's decision (Config.Passable), and so is what is
// believed of an answer. A Desk keeps and logs nothing of a question or of who asked;
// a Road's circuits carry nothing else. All of it may be used concurrently.
//
// Implements: docs/spec/chain.md §9.
package evmrpc
