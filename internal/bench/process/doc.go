// Package process starts the programs that a benchmark consists of, and reads
// what the system knows of them: CPU time and memory.
//
// Start starts one and waits for what it says when it is ready; Stop ends it.
// CPU and Anon read /proc; on systems without it they return an error.
package process
