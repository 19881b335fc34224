package sse

// Fixed pieces of a chat stream that we write ourselves.
const (
	// Heartbeat is a comment: clients ignore it, but it keeps proxies and the
	// client's own idle timer from giving up during a long prefill.
	Heartbeat = ": culvert\n\n"

	// Done ends a complete chat stream, and nothing else.
	Done = "data: [DONE]\n\n"
)

// textCompletion is the object whose choices are texts; others have deltas.
const textCompletion = "text_completion"

// AppendNoOp appends a chunk that says nothing, an object of the route's kind.
// It goes before an error frame when a heartbeat was last, so that a client
// which takes the lines since the last chunk for the error's text does not find
// a comment there. It has a choice, for programs read the first without looking.
func AppendNoOp(dst []byte, object string) []byte {
	choice := `{"index":0,"delta":{},"finish_reason":null}`
	if object == textCompletion {
		choice = `{"index":0,"text":"","logprobs":null,"finish_reason":null}`
	}
	dst = append(dst, `data: {"id":"","object":"`...)
	dst = append(dst, object...)
	dst = append(dst, `","created":0,"model":"","choices":[`...)
	dst = append(dst, choice...)
	return append(dst, "]}\n\n"...)
}

// AppendError appends the frame that reports envelope, an error document in
// OpenAI's shape on one line, in a chat stream. There is no event: line, for
// clients of this dialect look at data lines only.
func AppendError(dst, envelope []byte) []byte {
	dst = append(dst, "data: "...)
	dst = append(dst, envelope...)
	return append(dst, "\n\n"...)
}
