//go:build unix

package sandbox

import (
	"os"
	"os/exec"
	"syscall"
)

// ownGroup keeps Ctrl-C at the terminal from reaching the node: we stop nodes
// in order.
func ownGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// terminate asks a node to stop.
func terminate(p *os.Process) error { return p.Signal(syscall.SIGTERM) }
