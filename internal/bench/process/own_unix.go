//go:build unix

package process

import (
	"syscall"
	"time"
)

// Own is the CPU time of this process.
func Own() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic("process: every process may ask for its own usage: " + err.Error())
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
