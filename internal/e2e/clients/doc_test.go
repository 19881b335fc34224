// Package clients runs clients that nobody here wrote, and their own tests,
// against the real programs: `make clients`.
package clients
