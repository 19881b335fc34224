// Package bench measures whole programs, end to end: a bridge by itself and a
// request through three hops, beside the mock upstream alone, a bare
// ReverseProxy and a chain of four programs without cryptography.
//
// Command is the program; docs/bench/README.md says how to read what it prints.
// Every participant is a process: the same program with another command
// (participants.go), or those of the product. A group is one kind of load
// (groups.go), a row one way to the upstream (stage.go); the rows of a group take
// turns, round by round, so that whatever else the machine does meets all of them
// (run.go). What counts are medians of rounds, and differences and ratios within a
// round (results.go), held against the figures that are to be reached (bars.go).
//
// It is for people who change the product. Tests of what is right are elsewhere;
// here an answer that is not right makes the run fail, and a figure never does.
package bench
