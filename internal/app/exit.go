package app

import (
	"context"
	"errors"
)

// Exit codes of every program.
const (
	ExitOK          = 0
	ExitFailed      = 1   // failed while running
	ExitUsage       = 2   // usage or configuration
	ExitNotReady    = 3   // not reachable, or not ready in time
	ExitRefused     = 4   // refused for safety
	ExitInterrupted = 130 // after SIGINT
)

// exitError is an error with the exit code it calls for.
type exitError struct {
	code int
	err  error
	help string // the command whose help says how it is right; empty: none does
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

// Usage marks err as a mistake in the command line or a file: exit 2.
func Usage(err error) error { return &exitError{code: ExitUsage, err: err} }

// NotReady marks err as something that is not there, or not in time: exit 3.
func NotReady(err error) error { return &exitError{code: ExitNotReady, err: err} }

// Refused marks err as a refusal for safety: exit 4.
func Refused(err error) error { return &exitError{code: ExitRefused, err: err} }

// Code is the exit code that err calls for.
func Code(err error) int {
	if err == nil {
		return ExitOK
	}
	if e, ok := errors.AsType[*exitError](err); ok {
		return e.code
	}
	return ExitFailed
}

// Why a program's context ended; context.Cause gives it.
var (
	errInterrupted = errors.New("interrupted")
	errTerminated  = errors.New("terminated")
	errParentGone  = errors.New("the program that started this one is gone")
)

// Interrupted reports whether ctx ended because the user pressed Ctrl-C.
func Interrupted(ctx context.Context) bool {
	return errors.Is(context.Cause(ctx), errInterrupted)
}
