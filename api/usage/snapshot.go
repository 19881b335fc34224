package usage

// Snapshot is what a request has come to so far, for those who bill it and those
// who pay. The counts are apart as prices are: what came from a cache is not in
// Input again, nor what was thought and not shown in Output.
type Snapshot struct {
	Input     int64 // tokens of the prompt that were read
	Cached    int64 // tokens of it that were in a cache
	Output    int64 // tokens of the answer
	Reasoning int64 // tokens that were thought, of which the answer has nothing
	Images    int64 // pictures in the answer

	// Told says that the counts of tokens are the answer's own; else they are
	// estimated from its bytes and the request's.
	Told bool

	Text Delivered // what the answer holds
}

// Bill makes m count what Snapshot tells, for a request whose prompt is estimated
// at so many tokens. It is called before the first Read. No event is passed over
// then for looking as if it told nothing: in one that is broken, what is found
// would depend on how it came.
func (m *Meter) Bill(prompt int64) {
	m.prompt = prompt
	m.text = new(textScanner)
	m.text.begin()
}

// Snapshot is what was counted of what was read so far. The same bytes give the
// same at both ends, however they were cut into reads.
func (m *Meter) Snapshot() Snapshot {
	if m.text == nil {
		return Snapshot{}
	}
	text := m.text.got
	s := Snapshot{Input: m.prompt, Output: (text.Bytes() + bytesPerToken - 1) / bytesPerToken, Images: text.Images, Text: text}
	s.Told = m.parts.input && (m.parts.output || text.Bytes() == 0)
	if m.parts.input {
		s.Cached = min(m.parts.cached, m.input)
		s.Input = m.input - s.Cached
	}
	if m.parts.output {
		if text.Reasoning == 0 {
			s.Reasoning = min(m.parts.reasoning, m.output)
		}
		s.Output = m.output - s.Reasoning
	}
	return s
}

// parts is what else a usage object told.
type parts struct {
	input, output     bool // it told these at all
	cached, reasoning int64
}
