// Package openai is the client side of any server that speaks OpenAI's API:
// vLLM, llama-server, Ollama, LM Studio, a hosted service.
//
// New makes a Client for one base URL, and the Client is a backend.Backend.
// Find looks for model servers on this machine and Detect says what one is.
//
// The Client forwards bodies byte for byte and nothing of the client but what
// backend.RequestHeader names. It follows no redirect, uses no proxy from the
// environment, keeps no cookies, and judges no prompt. It knows nothing of
// local HTTP servers, circuits or payment. All of it may be used concurrently.
// Spec: docs/spec/api.md, Backends.
package openai
