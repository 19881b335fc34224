//go:build race && !sim

package sim

// The race detector looks for races between goroutines, which only the hosts
// have, and makes everything ten times as slow.
const (
	seeds     = 1
	hosts     = 8
	syncHosts = 8
	town      = 1000
	bigWorld  = 1000
)
