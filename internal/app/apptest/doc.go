// Package apptest gives tests of commands a person at a terminal.
//
// NewPerson makes a pseudo-terminal: Waits reads what is on its screen, Types
// writes on its keyboard. It is for tests only, and on Linux only. A Person belongs
// to one test.
package apptest
