// Package devchain is the program devchain: an EVM chain on this machine, for
// trying and testing, so that the whole market runs with nothing installed. It is a
// go-ethereum node whose consensus is this process's say-so: every transaction is
// in a block at once, time passes when it is told to, and newest blocks can be
// taken back.
//
// Start is a chain in this process, for tests; Command is the command line of the
// program, and Serve what its serve does. The contract of the market is on the
// chain from its first block, at the same address on every devchain, and so is
// money of accounts whose keys the whole world knows.
//
// It is not for money that is worth anything, and serves nobody but programs of
// this machine. It must not be linked into bridge, gateway or observer, which hold
// a client and no node: who starts a devchain reads devchain/ready. A Chain may be
// used concurrently.
//
// go-ethereum logs through a global, which Serve sets and Start leaves alone; and
// ends the process when its database is beyond repair.
//
// Implements: docs/runbooks/devchain.md, docs/conventions.md "Programs and
// processes".
package devchain
