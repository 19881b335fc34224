package doctor

import (
	"net"

	"github.com/spf13/pflag"

	"github.com/culvert-net/culvert/internal/app"
)

// Load loads a program's configuration as serve does. What is wrong with the
// command line is err, and ends the doctor; what is wrong with the rest is a
// finding, and c is then fresh defaults. cfg has its flags bound already; also
// are the checks that serve gives to app.Load.
func Load[C any](defaults func() *C, cfg *C, program, dir string, flags *pflag.FlagSet, also ...func(c *C, dir string) error) (c *C, wrong, err error) {
	load := func(c *C, flags *pflag.FlagSet) error {
		_, err := app.Load(c, program, dir, flags, func(dir string) error {
			for _, check := range also {
				if err := check(c, dir); err != nil {
					return err
				}
			}
			return nil
		})
		return err
	}
	if wrong = load(cfg, flags); wrong == nil {
		return cfg, nil, nil
	}
	if load(defaults(), nil) == nil {
		return nil, nil, wrong // it is right without the flags
	}
	return defaults(), wrong, nil
}

// NoIPv6 reports whether this machine has no IPv6 loopback address.
func NoIPv6() bool {
	l, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		return true
	}
	_ = l.Close() // nothing was accepted
	return false
}
