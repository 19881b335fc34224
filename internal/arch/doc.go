// Package arch holds the rules about the shape of this repository, as tests:
// who may import whom, that packages say what they are for, that files stay
// readable, that nothing refers to one developer's machine.
//
// There is nothing to call. A failing test names the file, the rule and its
// reason; a new edge in the import table is a reviewed change of table_test.go
// that brings a reason of its own.
//
// The tests read source files and run no tool, so they need no network and
// take a second. They know nothing of what the code does.
//
// Implements: docs/architecture.md "Who may import whom".
package arch
