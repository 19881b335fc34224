package doctor

import (
	"net/url"
	"os"

	"github.com/spf13/cobra"

	"github.com/culvert-net/culvert/internal/app"
)

// Lines makes command lines that can be pasted where the doctor was called.
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

// Line is a command of the program, on the directory the doctor looks at.
func (l Lines) Line(words ...string) string {
	all := append([]string{l.program}, words...)
	if l.data != "" {
		all = append(all, "--data", l.data)
	}
	return app.Shell(all...)
}

// ShowURL is a URL without what may be a secret: user, password, query.
func ShowURL(s string) string {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" {
		return "(a URL that does not parse)"
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}
