package config

import (
	"fmt"
	"strings"
)

// An Error is a mistake in a configuration: exit code 2.
type Error struct {
	File    string // the file, or empty
	Line    int    // the line in it, from 1; 0 if it is not known
	Source  string // the flag or variable, if the mistake is not in the file
	Key     string // section.name; empty if the file cannot be read as TOML
	Problem string

	cause error // what a check returned; nil for mistakes found here
}

func (e *Error) Error() string {
	where := e.Source
	if e.File != "" {
		where = e.File
		if e.Line > 0 {
			where = fmt.Sprintf("%s:%d", e.File, e.Line)
		}
	}
	var parts []string
	for _, part := range []string{where, e.Key, e.Problem} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, ": ")
}

// Unwrap gives what a check returned.
func (e *Error) Unwrap() error { return e.cause }

// At says that err is about the value of a key, for a method Validate or
// another check of Options. Load completes it by where the value stands. nil
// stays nil.
func At(key string, err error) error {
	if err == nil {
		return nil
	}
	return &Error{Key: key, Problem: err.Error(), cause: err}
}
