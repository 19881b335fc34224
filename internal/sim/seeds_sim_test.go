//go:build sim

package sim

const (
	seeds     = 30
	hosts     = 200
	syncHosts = 60
	bigWorld  = 100_000
)
