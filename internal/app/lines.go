package app

import (
	"os"

	"github.com/spf13/cobra"
)

// Lines makes command lines that can be pasted where the program was called:
// by the name it was called by, on the data directory it was given.
type Lines struct {
	program string // as it was called
	data    string // what --data said; "" for the default
}

// NewLines makes the lines for cmd, whose data directory is dir.
func NewLines(cmd *cobra.Command, dir string) Lines {
	l := Lines{program: os.Args[0]}
	if cmd.Flags().Changed("data") {
		l.data = dir
	}
	return l
}

// Line is a command of the program, on the same data directory.
func (l Lines) Line(words ...string) string {
	all := append([]string{l.program}, words...)
	if l.data != "" {
		all = append(all, "--data", l.data)
	}
	return Shell(all...)
}

// Named reports whether the data directory was named by --data.
func (l Lines) Named() bool { return l.data != "" }
