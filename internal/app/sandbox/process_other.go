//go:build !unix

package sandbox

import (
	"context"
	"io/fs"
	"os"
	"os/exec"
)

// ownGroup does nothing here.
func ownGroup(*exec.Cmd) {}

// terminate kills: there is no signal that asks.
func terminate(p *os.Process) error { return p.Kill() }

// untilHangup adds nothing: closing the window is an interrupt.
func untilHangup(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithCancel(ctx)
}

// ours is always false: whether a directory is in use cannot be told here, as
// nothing locks it.
func ours(fs.FileInfo) bool { return false }
