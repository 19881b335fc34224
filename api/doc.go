// Package api is the local HTTP server that an unchanged OpenAI client talks
// to. It makes one backend.Backend call per request and copies the answer
// back, event by event, without changing a byte of either.
//
// New checks a Config and makes a Server; Server.Handler is what an
// http.Server serves. Who serves it, where, and how it is shut down is not
// decided here, nor what is behind the Backend: the package knows no circuit and
// no peer, and of money what a request has cost.
//
// A stream that was cut is never passed off as a whole one: see copier. No
// prompt, answer or key is ever logged.
//
// A Server may be used concurrently. It starts no goroutine of its own but
// the timers of running streams. Spec: docs/spec/api.md.
package api
