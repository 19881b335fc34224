// Package config reads what a program is told: flag before environment before
// file before default, into the program's own struct.
//
// A program fills its struct with defaults and calls Load; Bind makes the
// flags first. Template writes the commented config.toml of `init`, Print the
// effective configuration of `config check`. A struct looks like this:
//
//	type Config struct {
//		API struct {
//			Listen  string        `toml:"listen" flag:"listen" doc:"Address of the local API."`
//			Timeout time.Duration `toml:"timeout" doc:"How long a request may take."`
//			Key     config.Secret `toml:"key" doc:"Key that apps must send."`
//		} `toml:"api" doc:"The address your apps talk to."`
//	}
//
// Its key api.listen is CULVERT_BRIDGE_API_LISTEN in the environment of the
// program bridge. Fields are string, []string, int, bool, time.Duration or
// Secret, in sections of one level or none. A struct of another shape is a
// mistake of the program, and panics. The fields of a struct that is embedded in a
// section are the section's. The tag show:"host" lets Print hide a URL's path.
//
// What a value may be beyond its type is checked by methods Validate() error of
// the struct and its sections, which return At of a key; Load says where the
// value stands, and so does Check for a struct that a program filled itself.
//
// Nothing is guessed: an unknown key, a value of the wrong type and an unknown
// variable of the program are errors that name file, line and key. The package
// knows no program's keys and starts nothing. Load and Bind write to the
// struct, so a struct belongs to one goroutine until they are done.
//
// Implements: docs/conventions.md "Configuration".
package config
