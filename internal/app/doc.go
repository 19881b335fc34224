// Package app is what the programs have in common as programs: exit codes,
// signals, logs, the version, the data directory. Each program's own wiring is
// in a package below it.
//
// A main function is Main(x.Command()) and nothing more. Commands return
// errors made by Usage, NotReady or Refused where an exit code other than 1
// is due, and stop when their context ends.
//
// It must not know what a program does: no pillar is imported here. It is for
// cmd and internal/app only. Functions may be called concurrently, Main once.
//
// Implements: docs/conventions.md "Exit codes", "Logs", "Data".
package app
