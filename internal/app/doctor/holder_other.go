//go:build !linux

package doctor

// holderProcess is for systems that say which process listens where.
func holderProcess(string) string { return "" }
