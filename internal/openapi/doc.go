// Package openapi checks answers against OpenAI's published description of its
// API, and answers requests by it. It is test support: no program imports it.
//
// Published loads the description, Check is for one answer, Transport for every
// answer that an HTTP client gets, Upstream is a model server whose answers are
// made up from the description and that refuses requests which break it.
//
// It is no judge of what the words of an answer mean, and of no server but ours:
// what a provider sends is passed on as it is, so its answers are checked only
// where the provider is known to keep to the description. What is read otherwise
// than it is published is the table Exceptions.
//
// A Description and a Transport may be used concurrently.
//
// The copy in testdata has the routes of routes.go and what they refer to,
// without the words for people: run go generate with the whole description at
// hand to make it anew.
//
// Implements: docs/design/schema.md.
package openapi

//go:generate go test -count=1 -run ^TestTrimmedCopy$ . -update
