// Package process starts the programs that a benchmark consists of, and reads
// what the system knows of them: CPU time and memory.
//
// Start starts one and waits for what it says when it is ready; Stop ends it.
// CPU, Machine and Anon read /proc; Known reports whether there is one.
package process
