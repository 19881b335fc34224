package usage

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func TestSnapshot(t *testing.T) {
	chunk := func(choice string) string { return `data: {"choices":[` + choice + `]}` + "\n\n" }
	for _, tt := range []struct {
		name   string
		stream bool
		answer string
		want   Snapshot
	}{
		{"nothing", false, "", Snapshot{Input: 15}},
		{"document", false, `{"choices":[{"message":{"content":"abcde"}}],"usage":{"prompt_tokens":9,"completion_tokens":3}}`, Snapshot{Input: 9, Output: 3, Told: true, Text: Delivered{Content: 5}}},
		{"cached", false, `{"usage":{"prompt_tokens":9,"completion_tokens":3,"prompt_tokens_details":{"cached_tokens":8}}}`, Snapshot{Input: 1, Cached: 8, Output: 3, Told: true}},
		{"more cached than there was", false, `{"usage":{"prompt_tokens":9,"completion_tokens":3,"prompt_tokens_details":{"cached_tokens":80}}}`, Snapshot{Cached: 9, Output: 3, Told: true}},
		{"thought and not shown", false, `{"choices":[{"message":{"content":"a"}}],"usage":{"prompt_tokens":9,"completion_tokens":30,"completion_tokens_details":{"reasoning_tokens":28}}}`, Snapshot{Input: 9, Output: 2, Reasoning: 28, Told: true, Text: Delivered{Content: 1}}},
		{"thought and shown", false, `{"choices":[{"message":{"content":"a","reasoning_content":"hm"}}],"usage":{"prompt_tokens":9,"completion_tokens":30,"completion_tokens_details":{"reasoning_tokens":28}}}`, Snapshot{Input: 9, Output: 30, Told: true, Text: Delivered{Content: 1, Reasoning: 2}}},
		{"more thought than written", false, `{"usage":{"prompt_tokens":9,"completion_tokens":3,"completion_tokens_details":{"reasoning_tokens":28}}}`, Snapshot{Input: 9, Reasoning: 3, Told: true}},
		{"of the responses API", false, `{"usage":{"input_tokens":9,"output_tokens":3,"input_tokens_details":{"cached_tokens":4},"output_tokens_details":{"reasoning_tokens":1}}}`, Snapshot{Input: 5, Cached: 4, Output: 2, Reasoning: 1, Told: true}},
		{"details that are none", false, `{"usage":{"prompt_tokens":9,"completion_tokens":3,"prompt_tokens_details":null,"completion_tokens_details":[7]}}`, Snapshot{Input: 9, Output: 3, Told: true}},
		{"negative details", false, `{"usage":{"prompt_tokens":9,"completion_tokens":3,"prompt_tokens_details":{"cached_tokens":-4},"completion_tokens_details":{"reasoning_tokens":-1}}}`, Snapshot{Input: 9, Output: 3, Told: true}},
		{"embeddings", false, `{"data":[{"embedding":[0.5]}],"usage":{"prompt_tokens":8,"total_tokens":8}}`, Snapshot{Input: 8, Told: true}},
		{"only a total", false, `{"choices":[{"message":{"content":"abcde"}}],"usage":{"total_tokens":8}}`, Snapshot{Input: 15, Output: 2, Text: Delivered{Content: 5}}},
		{"completion", false, `{"choices":[{"text":"abcd"},{"text":"efgh"}]}`, Snapshot{Input: 15, Output: 2, Text: Delivered{Content: 8}}},
		{"escapes", false, `{"choices":[{"message":{"content":"\"\\\/\n\u0041\u00e9\u20ac\ud83d\ude00é"}}]}`, Snapshot{Input: 15, Output: 4, Text: Delivered{Content: 4 + 1 + 2 + 3 + 4 + 2}}},
		{"parts", false, `{"choices":[{"message":{"content":[{"type":"text","text":"abc"},{"type":"refusal","refusal":"de"}]}}]}`, Snapshot{Input: 15, Output: 2, Text: Delivered{Content: 5}}},
		{"tools", false, `{"choices":[{"message":{"content":null,"tool_calls":[{"id":"call_1","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}}]}}]}`, Snapshot{Input: 15, Output: 2, Text: Delivered{Tools: 8, Calls: 1}}},
		{"arguments that are an object", false, `{"choices":[{"message":{"tool_calls":[{"function":{"name":"f","arguments":{"a":{"b":["xyz"]}}}}]}}]}`, Snapshot{Input: 15, Output: 1, Text: Delivered{Tools: 4, Calls: 1}}},
		{"calls", false, `{"choices":[{"message":{"tool_calls":[{"function":{"name":"f","arguments":"{\"name\":\"x\"}"}},{"function":{"name":"","arguments":""}},{"function":{"name":null}},{"custom":{"name":"g","input":"z"}}]}}]}`, Snapshot{Input: 15, Output: 4, Text: Delivered{Tools: 15, Calls: 2}}},
		{"images", false, `{"choices":[{"message":{"images":[{"image_url":{"url":"data:x"}},"data:y"]}}]}`, Snapshot{Input: 15, Images: 2, Text: Delivered{Images: 2}}},
		{"logprobs apart", false, `{"choices":[{"logprobs":{"content":[{"token":"abc","top_logprobs":[{"token":"d"}]}]},"message":{"content":"abc"}}]}`, Snapshot{Input: 15, Output: 1, Text: Delivered{Content: 3}}},
		{"names elsewhere", false, `{"content":"x","message":{"content":"y"},"x":{"choices":[{"text":"z"}]},"choices":[{"x":"content","index":"text"}]}`, Snapshot{Input: 15}},
		{"too deep", false, `{"choices":[{"message":{"content":` + strings.Repeat("[", 40) + `"abc"` + strings.Repeat("]", 40) + `,"reasoning":"ab"}}]}`, Snapshot{Input: 15, Output: 1, Text: Delivered{Reasoning: 2}}},
		{
			"stream", true, ": comment\n\n" + chunk(`{"delta":{"role":"assistant","content":""}}`) + chunk(`{"delta":{"reasoning":"abc"}}`) +
				chunk(`{"delta":{"content":"def"}},{"index":1,"delta":{"content":"gh"}}`) + "data: [DONE]\n\n",
			Snapshot{Input: 15, Output: 2, Text: Delivered{Content: 5, Reasoning: 3}},
		},
		{"stream that told", true, chunk(`{"delta":{"content":"def"}}`) + "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":3}}\n\n", Snapshot{Input: 9, Output: 3, Told: true, Text: Delivered{Content: 3}}},
		{"stream that counts up and was cut", true, "data: {\"choices\":[{\"delta\":{\"content\":\"abcdefgh\"}}],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":3}}\n\ndata: {\"choices\":[{\"delta\":{\"content\":\"i", Snapshot{Input: 9, Output: 3, Told: true, Text: Delivered{Content: 9}}},
		{"an event's end ends its document", true, "data: {\"choices\":[{\"delta\":{\"content\":\"ab\n\n" + chunk(`{"delta":{"content":"c"}}`), Snapshot{Input: 15, Output: 1, Text: Delivered{Content: 3}}},
		{"another field of an event", true, "id: {\"choices\":[{\"text\":\"abc\"}]}\n\n", Snapshot{Input: 15}},
	} {
		for way, read := range map[string]func(io.Reader) io.Reader{
			"whole": func(r io.Reader) io.Reader { return r }, "bytewise": iotest.OneByteReader, "halves": iotest.HalfReader,
		} {
			m := NewMeter(read(strings.NewReader(tt.answer)), tt.stream)
			m.Bill(15)
			if text, err := io.ReadAll(m); err != nil || string(text) != tt.answer {
				t.Errorf("%s, %s: the answer was changed, %v", tt.name, way, err)
			}
			if got := m.Snapshot(); got != tt.want {
				t.Errorf("%s, %s: %+v\nwant %+v", tt.name, way, got, tt.want)
			}
		}
	}
	if got := NewMeter(strings.NewReader("x"), false).Snapshot(); got != (Snapshot{}) {
		t.Errorf("of an answer that is not billed: %+v", got)
	}
}

// What is counted of an answer is what a decoder finds in it, however it is cut.
func FuzzSnapshot(f *testing.F) {
	f.Add([]byte(`{"choices":[{"message":{"content":"a\u00e9\ud83d\ude00","reasoning":"b","tool_calls":[{"function":{"arguments":"{}"}}]}}]}`), uint8(3))
	f.Add([]byte(`{"choices":[{"text":"a"}],"usage":{"prompt_tokens":2}}`), uint8(1))
	f.Add([]byte("data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n"), uint8(7))
	f.Fuzz(func(t *testing.T, answer []byte, size uint8) {
		for _, stream := range []bool{false, true} {
			whole, cut := NewMeter(bytes.NewReader(answer), stream), NewMeter(bytes.NewReader(answer), stream)
			whole.Bill(1)
			cut.Bill(1)
			_, _ = io.Copy(io.Discard, struct{ io.Reader }{whole})
			for p := make([]byte, int(size)+1); ; {
				if _, err := cut.Read(p); err != nil {
					break
				}
			}
			a, b := whole.Snapshot(), cut.Snapshot()
			if a != b {
				t.Fatalf("read at once it is %+v, in pieces of %d %+v", a, int(size)+1, b)
			}
			if a.Text.Bytes() < 0 || a.Text.Bytes() > 3*int64(len(answer)) || a.Input < 0 || a.Cached < 0 || a.Output < 0 || a.Reasoning < 0 {
				t.Fatalf("%+v of %d bytes", a, len(answer))
			}
		}
		var doc struct {
			Choices []struct {
				Message struct {
					Content string `json:"content"`
				} `json:"message"`
			} `json:"choices"`
		}
		text := string(answer)
		if json.Unmarshal(answer, &doc) != nil || strings.Count(text, "choices") != 1 || strings.Count(text, "message") != 1 ||
			strings.Count(text, "content") != 1 || strings.ContainsAny(text, "\\\x00") || !json.Valid(answer) || len(doc.Choices) != 1 || bytes.Contains(answer, []byte("\xff")) {
			return
		}
		m := NewMeter(bytes.NewReader(answer), false)
		m.Bill(0)
		_, _ = io.Copy(io.Discard, struct{ io.Reader }{m})
		want := int64(len(doc.Choices[0].Message.Content))
		if got := m.Snapshot().Text.Content; got < want && strings.ToValidUTF8(text, "") == text {
			t.Errorf("%d bytes of content, a decoder finds %d in %s", got, want, answer)
		}
	})
}

// Budget of 2026-11: an event of an answer that is paid for costs no allocation
// either.
func TestBilledEventsAllocateNothing(t *testing.T) {
	event := []byte(`data: {"id":"x","choices":[{"index":0,"delta":{"content":"word","reasoning":"\u00e9"}}],"usage":null}` + "\n\n")
	from := bytes.NewReader(event)
	m, p := NewMeter(from, true), make([]byte, len(event))
	m.Bill(1)
	if n := testing.AllocsPerRun(100, func() {
		from.Reset(event)
		if n, err := m.Read(p); n != len(event) || err != nil {
			t.Fatal(n, err)
		}
		if m.Snapshot().Text.Content == 0 {
			t.Fatal("nothing is counted")
		}
	}); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}
