//go:build !unix

package sandbox

import (
	"io/fs"
	"os"
	"os/exec"
)

// ownGroup does nothing here.
func ownGroup(*exec.Cmd) {}

// terminate kills: there is no signal that asks.
func terminate(p *os.Process) error { return p.Kill() }

// outlastReaders adds nothing: there is no signal for a reader that is gone.
func outlastReaders() {}

// ours is always false: whether a directory is in use cannot be told here, as
// nothing locks it.
func ours(fs.FileInfo) bool { return false }
