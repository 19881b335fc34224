//go:build !sim && !race

package sim

// In every test run a few seeds and few hosts; make sim has all.
const (
	seeds     = 2
	hosts     = 24
	syncHosts = 15
	town      = 10_000
	bigWorld  = 10_000
)
