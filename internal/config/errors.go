package config

import "fmt"

// An Error is a mistake in a configuration: exit code 2.
type Error struct {
	File    string // the file, or empty
	Line    int    // the line in it, from 1; 0 if it is not known
	Source  string // the flag or variable, if the mistake is not in the file
	Key     string // section.name; empty if the file cannot be read as TOML
	Problem string
}

func (e *Error) Error() string {
	where := e.Source
	if e.File != "" {
		where = e.File
		if e.Line > 0 {
			where = fmt.Sprintf("%s:%d", e.File, e.Line)
		}
	}
	if e.Key != "" {
		where += ": " + e.Key
	}
	return where + ": " + e.Problem
}
