//go:build unix

package sandbox

import (
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
)

// ownGroup keeps Ctrl-C at the terminal from reaching the node: we stop nodes
// in order.
func ownGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// terminate asks a node to stop.
func terminate(p *os.Process) error { return p.Signal(syscall.SIGTERM) }

// outlastReaders lets a reader of our output that is gone end nothing by itself:
// whatever ends us, what we made is to be removed.
//
// A signal that is ignored would be ignored by the nodes too; one that is taken
// and left lying is not.
func outlastReaders() { signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) }

// ours reports whether a file belongs to this user.
func ours(info fs.FileInfo) bool {
	s, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(s.Uid) == os.Getuid()
}
