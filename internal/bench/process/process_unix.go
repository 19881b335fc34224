//go:build unix

package process

import (
	"os"
	"os/exec"
	"syscall"
)

// ownGroup keeps Ctrl-C at the terminal from reaching the program: we end it.
func ownGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// terminate asks the program to end.
func terminate(p *os.Process) error { return p.Signal(syscall.SIGTERM) }
