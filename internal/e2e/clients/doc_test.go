// Package clients runs OpenAI clients that nobody here wrote against the real
// programs: `make clients`.
//
// Each client is a process of its own (js/*.mjs, gosdk/cmd/*) that goes through
// the same list of cases and prints one line of JSON for each. The test starts
// a model server that does what the prompt says, a bridge in local mode and a
// sandbox whose nodes are processes, runs every client against both, asks the
// model server what it saw, and writes what came out to docs/clients.md.
//
// TestOwnTests runs the tests that openai-go ships with, against a model server
// that answers by OpenAI's description.
//
// With CULVERT_BIN the programs in that directory are tested, else they are
// built first. What the clients need must have been installed: npm ci in js.
//
// It tests docs/spec/api.md sections 1 to 6 as those clients see them.
package clients
