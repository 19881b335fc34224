//go:build sim

package sim

const (
	seeds     = 30
	hosts     = 200
	syncHosts = 60
	town      = 10_000
	bigWorld  = 100_000
)
