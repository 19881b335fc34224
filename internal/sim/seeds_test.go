//go:build !sim

package sim

// In every test run a few seeds and a tenth of the hosts; make sim has all.
const (
	seeds     = 3
	hosts     = 24
	syncHosts = 15
	bigWorld  = 10_000
)
