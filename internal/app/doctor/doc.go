// Package doctor is what the doctors of all programs have in common:
// a list of checks that is gone through for a person whose node does not work,
// how it is shown, and the checks that make sense for more than one program.
//
// Run goes through a list of Checks and prints a line for each Finding: ok,
// warning, problem or skipped, what was found, and what to do about it. Data,
// Port, World, AskSeeds, Clock and Directory are checks; what only one program
// has is in that program's package.
//
// A check changes nothing, on this machine or elsewhere: it looks at files,
// asks the running program, and asks seeds what any newcomer asks, from a host
// with a key of its own that is gone afterwards. It opens no circuit. Findings
// never hold prompts, answers, keys or the user part of a URL.
//
// Checks run one after the other; nothing here is for concurrent use.
//
// Implements: docs/runbooks/doctor.md.
package doctor
