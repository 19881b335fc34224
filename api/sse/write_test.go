package sse_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/culvert-net/culvert/api/sse"
)

// Programs read choices[0] of every chunk without looking whether there is one:
// those in Go panicked at a chunk that had none, in place of the error behind it.
func TestNoOpSaysNothing(t *testing.T) {
	for _, object := range []string{"chat.completion.chunk", "text_completion"} {
		event := string(sse.AppendNoOp([]byte("before\n\n"), object))
		data, ok := strings.CutPrefix(event, "before\n\ndata: ")
		if !ok || !strings.HasSuffix(event, "\n\n") {
			t.Errorf("%s: %q is no event behind what was there", object, event)
		}
		var chunk struct {
			Object  string `json:"object"`
			Choices []struct {
				Index  *int            `json:"index"`
				Text   *string         `json:"text"`
				Delta  *map[string]any `json:"delta"`
				Reason *string         `json:"finish_reason"`
			} `json:"choices"`
		}
		if err := json.Unmarshal([]byte(data), &chunk); err != nil || chunk.Object != object || len(chunk.Choices) != 1 {
			t.Errorf("%s: %s (%v), want a chunk with one choice", object, data, err)
			continue
		}
		c := chunk.Choices[0]
		chat := c.Delta != nil && len(*c.Delta) == 0 && c.Text == nil
		text := c.Text != nil && *c.Text == "" && c.Delta == nil
		if c.Index == nil || *c.Index != 0 || c.Reason != nil || chat == text || text != (object == "text_completion") {
			t.Errorf("%s: %s, want the first choice, to which nothing is added", object, data)
		}
	}
}
