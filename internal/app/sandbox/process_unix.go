//go:build unix

package sandbox

import (
	"context"
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

// untilHangup returns a context that ends, as with SIGTERM, when the terminal is
// closed, unless that was made not to matter (nohup). A reader of our output
// that is gone ends nothing by itself any more: whatever ends us, what we made
// is to be removed.
func untilHangup(ctx context.Context) (context.Context, context.CancelFunc) {
	// A signal that is ignored would be ignored by the nodes too; one that is
	// taken and left lying is not.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	if signal.Ignored(syscall.SIGHUP) {
		return context.WithCancel(ctx)
	}
	return signal.NotifyContext(ctx, syscall.SIGHUP)
}

// ours reports whether a file belongs to this user.
func ours(info fs.FileInfo) bool {
	s, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(s.Uid) == os.Getuid()
}
