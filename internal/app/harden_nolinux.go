//go:build !linux

package app

// refuseDumps is for systems that have such a call.
func refuseDumps() {}
