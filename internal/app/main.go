package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/spf13/cobra"
)

// parentGrace is how long a child may take to end after its parent is gone.
// Nobody waits for what it was doing.
const parentGrace = 1500 * time.Millisecond

// Main runs a program's root command and returns the exit code. SIGINT, SIGTERM
// and a terminal that is closed end the command's context; a second SIGINT or
// SIGTERM ends the program at once.
func Main(root *cobra.Command) int {
	harden()
	collectLess()
	// net/http quotes bytes of answers here ("Unsolicited response …").
	log.SetOutput(io.Discard)
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, append(hangup(), os.Interrupt, syscall.SIGTERM)...)
	defer signal.Stop(signals)
	done := make(chan struct{})
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		watch(done, signals, cancel)
	}()
	err := run(ctx, root)
	close(done)
	<-watched
	return report(root, err, Interrupted(ctx))
}

// gcPercent lets the heap grow to 8 MiB between collections instead of 4. What
// lives is a few MiB, whatever the load, and marking it at every 4 took a sixth of
// the bridge's time under load (2026-11).
const gcPercent = 200

// collectLess sets gcPercent, unless the environment has its own.
func collectLess() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
}

// watch turns signals into the end of the context, until done.
func watch(done <-chan struct{}, signals <-chan os.Signal, cancel context.CancelCauseFunc) {
	for again := false; ; again = true {
		select {
		case <-done:
			return
		case s := <-signals:
			code, cause := ExitInterrupted, errInterrupted
			if s != os.Interrupt {
				code, cause = ExitFailed, errTerminated
			}
			// Who closes a terminal has pressed no key: both the shell and the
			// system say so, and the second is no more urgent than the first.
			if again && s != syscall.SIGHUP {
				os.Exit(code)
			}
			cancel(cause)
		}
	}
}

// run executes the command. What goes wrong before it has begun is a mistake in
// the command line, of which cobra does not say so: there help can help.
func run(ctx context.Context, root *cobra.Command) error {
	root.SilenceErrors, root.SilenceUsage = true, true
	root.CompletionOptions.DisableDefaultCmd = false
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return flagError(err) })
	strict(root)
	began := false
	root.PersistentPreRun = func(*cobra.Command, []string) { began = true }
	cmd, err := root.ExecuteContextC(ctx)
	if err != nil && !began {
		return &exitError{code: ExitUsage, err: err, help: cmd.CommandPath()}
	}
	return err
}

func report(root *cobra.Command, err error, interrupted bool) int {
	if err != nil {
		fmt.Fprintf(root.ErrOrStderr(), "%s: %v\n", root.Name(), err)
	}
	if e, ok := errors.AsType[*exitError](err); ok && e.help != "" {
		fmt.Fprintf(root.ErrOrStderr(), "See %s --help.\n", e.help)
	}
	if interrupted {
		return ExitInterrupted
	}
	return Code(err)
}

// WithParent returns a context that ends when in does: the parent keeps the
// other end of that pipe open for as long as it lives, so even kill -9 of the
// parent is noticed. The program is given parentGrace to end by itself.
//
// The goroutine that reads is not waited for: nothing interrupts a read of
// standard input, and the process ends right after.
func WithParent(ctx context.Context, in io.Reader) context.Context {
	ctx, cancel := context.WithCancelCause(ctx)
	go func() {
		// Whatever ends the pipe, an error too, the parent is no longer there.
		_, _ = io.Copy(io.Discard, in)
		cancel(errParentGone)
		time.Sleep(parentGrace)
		os.Exit(ExitFailed)
	}()
	return ctx
}
