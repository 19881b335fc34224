// Package openai is a lossless view of OpenAI-shaped request bodies and the
// error envelope of the answers.
//
// Bytes are forwarded as they came: ParseChat reads the few fields that are
// routed, limited or billed on and remembers where they stand; Scrub and Edit
// change only members of the published field table, in place. Nothing is ever
// re-marshalled, so unknown fields, key order and numbers above 2^53 survive.
//
// The package knows no HTTP client, server or stream. Everything in it is a
// pure function and safe for concurrent use. Spec: docs/spec/fields.md.
package openai
