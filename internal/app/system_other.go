//go:build !unix

package app

import "os"

// lockNow does nothing where there is no flock; the admin socket's address is
// then what two programs collide on.
func lockNow(*os.File) error { return nil }

// lockShared is for systems with flock.
func lockShared(*os.File) error { return nil }

// canWrite cannot be told here without writing.
func canWrite(string) bool { return true }

// hangup is nothing here: closing the window is an interrupt.
func hangup() []os.Signal { return nil }

// limitCore is for systems that write core files.
func limitCore() {}
