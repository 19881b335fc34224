//go:build sim

package sim

const (
	seeds    = 30
	hosts    = 200
	bigWorld = 100_000
)
