// Package layers says where a program's CPU time goes, by layer of the request's
// way: it reads a CPU profile in pprof's format and gives each sample to the
// layer of its innermost frame that has one.
//
// It starts nothing and fetches nothing.
package layers
