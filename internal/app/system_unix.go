//go:build unix

package app

import (
	"os"

	"golang.org/x/sys/unix"
)

// lockNow takes the file's lock or fails at once. The system drops it when the
// process ends, however that happens.
func lockNow(f *os.File) error {
	return unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
}

// limitCore lets no core file be written.
func limitCore() { _ = unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}) }
