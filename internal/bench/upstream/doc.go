// Package upstream is the model server of the benchmarks: it answers chats at
// once, in a pace or in a flood, as the prompt orders (package script), and
// costs as little as it can.
//
// New makes its http.Handler. It keeps nothing but counts: how many orders came,
// and how many came with something that names who asked. With Config.Llama it
// has two habits of llama-server: a stream's connection is announced as kept and
// closed all the same, and an answer that is not streamed comes in two parts, the
// second not before the first was acknowledged, which waits for the timer of
// delayed acknowledgements on a kept connection.
//
// It is for benchmarks: it computes nothing and checks no key.
package upstream
