//go:build !unix

package process

import (
	"os"
	"os/exec"
)

// ownGroup changes nothing: here the programs end together with us.
func ownGroup(*exec.Cmd) {}

// terminate ends the program.
func terminate(p *os.Process) error { return p.Kill() }
