package openai_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/culvert-net/culvert/api/openai"
)

func TestToolCallsKeepWhatIsSound(t *testing.T) {
	for _, doc := range []string{
		`{"choices":[]}`, `{"choices":null,"tool_calls":[{}]}`, `{"choices":{"tool_calls":1}}`, `not JSON "tool_calls"`,
		`{"choices":[{"message":{"tool_calls":[{"id":"a","index":7}]}},{"message":{"tool_calls":null}}]}`,
		`{"choices":[{"delta":{"tool_calls":[{}]}},7,{"delta":"tool_calls"}]}`,
		`{"choices":[{"index":1,"delta":{"tool_calls":[{"index":3,"id":"a","function":{"name":"f"}}]}}]}`,
	} {
		if got := string(new(openai.ToolCalls).Repair([]byte(doc))); got != doc {
			t.Errorf("%s became %s", doc, got)
		}
	}
}

// TestToolCallsOfChoices checks that the calls of one choice say nothing about
// those of another.
func TestToolCallsOfChoices(t *testing.T) {
	var calls openai.ToolCalls
	chunk := func(choice, call string) string {
		return `{"choices":[{"delta":{"tool_calls":[` + call + `]},"index":` + choice + `}]}`
	}
	for _, c := range []struct{ choice, sent, want string }{
		{"0", `{"index":0,"id":"a","function":{"name":"f"}}`, ""},
		{"1", `{"index":0,"id":"b","function":{"name":"f"}}`, ""},
		{"1", `{"index":0,"id":"c","function":{"name":"f"}}`, `{"index":1,"id":"c","function":{"name":"f"}}`},
		{"0", `{"index":0,"function":{"arguments":"x"}}`, ""},
		{"0", `{"function":{"arguments":"x"}}`, `{"index":0,"function":{"arguments":"x"}}`},
		{
			"0", `{"index":0,"id":"a","function":{"name":"f"}}, {"index":0,"id":"d","function":{"name":"g"}}`,
			`{"index":0,"id":"a","function":{"name":"f"}}, {"index":1,"id":"d","function":{"name":"g"}}`,
		},
	} {
		if c.want == "" {
			c.want = c.sent
		}
		if got, want := string(calls.Repair([]byte(chunk(c.choice, c.sent)))), chunk(c.choice, c.want); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

func FuzzToolCalls(f *testing.F) {
	f.Add([]byte(`{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"f"}},{"index":0,"id":"","function":{"name":"g"}}]}}]}`))
	f.Add([]byte(`{"choices":[{"message":{"tool_calls":[{"function":{"name":"f"}},{"id":null}]}}],"id":"tool_calls"}`))
	f.Add([]byte(`{"choices":[{"delta":{"tool_calls":[{"index":1e9,"function":{}},{"index":-1,"function":{"name":"x"}}]}}]}`))
	f.Fuzz(func(t *testing.T, doc []byte) {
		var calls openai.ToolCalls
		for range 2 {
			got := calls.Repair(doc)
			if json.Valid(doc) != json.Valid(got) {
				t.Fatalf("%q became %q", doc, got)
			}
			if !strings.Contains(string(doc), "tool_calls") && string(got) != string(doc) {
				t.Fatalf("%q became %q without a call", doc, got)
			}
		}
	})
}
