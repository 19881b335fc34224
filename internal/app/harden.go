package app

// harden keeps keys and prompts, which live in memory, out of core dumps
// (docs/spec/circuit.md "Layers"). Where the system refuses, it was told so by
// its owner, and the program still runs.
func harden() {
	limitCore()
	refuseDumps()
}
