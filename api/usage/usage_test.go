package usage

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func TestMeter(t *testing.T) {
	for _, tt := range []struct {
		name   string
		stream bool
		answer string
		want   Count
	}{
		{"document", false, `{"id":"x","choices":[{"message":{"content":"a"}}],"usage":{"prompt_tokens":9,"completion_tokens":3,"total_tokens":12}}`, Count{12, false}},
		{"usage first", false, `{ "usage" : {"total_tokens": 7 , "x":{"y":[1]}} , "choices":[]}`, Count{7, false}},
		{"no total", false, `{"usage":{"prompt_tokens":9,"completion_tokens":3}}`, Count{12, false}},
		{"embeddings", false, `{"data":[{"embedding":[0.1,-2e3]}],"usage":{"prompt_tokens":8,"total_tokens":8}}`, Count{8, false}},
		{"responses", false, `{"usage":{"input_tokens":2,"output_tokens":3}}`, Count{5, false}},
		{"reasoning left out of the total", false, `{"usage":{"prompt_tokens":9,"completion_tokens":30,"total_tokens":12}}`, Count{39, false}},
		{"none", false, `{"choices":[]}..`, Count{15 + 4, true}},
		{"null", false, `{"usage":null}  `, Count{15 + 4, true}},
		{"deeper", false, `{"x":{"usage":{"total_tokens":5}}}      `, Count{15 + 10, true}},
		{"in an array", false, `[{"usage":{"total_tokens":5}}]  `, Count{15 + 8, true}},
		{"as text", false, `{"x":"\"usage\":{\"total_tokens\":5}"}      `, Count{15 + 11, true}},
		{"as a value", false, `{"x":"usage","y":{"total_tokens":5}}`, Count{15 + 9, true}},
		{"negative", false, `{"usage":{"total_tokens":-5}}   `, Count{0, false}},
		{"words", false, `{"usage":{"total_tokens":"many"}}   `, Count{15 + 9, true}},
		{"too long", false, `{"usage":{"x":"` + strings.Repeat("y", maxUsage) + `","total_tokens":5}}`, Count{15 + (maxUsage+15+19)/4, true}},
		{
			"stream", true, "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}],\"usage\":null}\n\n: comment\n\n" +
				"data: {\"choices\":[],\"usage\":{\"total_tokens\":20}}\n\ndata: [DONE]\n\n", Count{20, false},
		},
		{"stream that counts up", true, "data: {\"usage\":{\"total_tokens\":1}}\r\n\r\ndata: {\"usage\":{\"total_tokens\":2}}\r\n\r\n", Count{2, false}},
		{"stream without", true, "data: {}\n\ndata: {}\n\ndata: {}\n\n: usage\n\n", Count{15 + 3, true}},
		{"stream that was cut", true, "data: {}\n\ndata: {\"usage\":{\"total_tok", Count{15 + 2, true}},
		{"stream with another field", true, "event: data\nid: {\"usage\":{\"total_tokens\":5}}\ndata:{}\n\n", Count{15 + 1, true}},
		{"an event's end ends its object", true, "data: {\"x\":{\n\ndata: {\"usage\":{\"total_tokens\":6}}\n\n", Count{6, false}},
	} {
		for way, read := range map[string]func(io.Reader) io.Reader{
			"whole": func(r io.Reader) io.Reader { return r }, "bytewise": iotest.OneByteReader,
		} {
			m := NewMeter(read(strings.NewReader(tt.answer)), tt.stream)
			if text, err := io.ReadAll(m); err != nil || string(text) != tt.answer {
				t.Errorf("%s, %s: the answer was changed, %v", tt.name, way, err)
			}
			if got := m.Count(15); got != tt.want {
				t.Errorf("%s, %s: Count = %+v, want %+v", tt.name, way, got, tt.want)
			}
		}
	}
}

func TestPrompt(t *testing.T) {
	image := `{"url":"data:image/png;base64,` + strings.Repeat("A", 1<<20) + `"}`
	for _, tt := range []struct {
		body string
		want int64
	}{
		{"", 0},
		{strings.Repeat("x", 400), 100},
		{image, tokensPerPart + 2},
		{image + image, 2*tokensPerPart + 4},
		{`"data:`, 2},
		{`"data:image/png;base64,AAAA`, tokensPerPart},
		// A text that begins like one is a text: nobody gets a long prompt for the
		// price of an image.
		{`"data: ` + strings.Repeat("words ", 1000) + `"`, 1502},
		{`"data:image/png;base64,` + strings.Repeat("words ", 1000) + `"`, 1506},
		{`"data:` + strings.Repeat("x", 4000) + `;base64,AAAA"`, 1004},
	} {
		if got := Prompt([]byte(tt.body)); got < tt.want-1 || got > tt.want+1 {
			t.Errorf("Prompt of %d bytes = %d, want about %d", len(tt.body), got, tt.want)
		}
	}
}

// What the scanner finds in valid JSON is what a decoder finds.
func FuzzMeter(f *testing.F) {
	f.Add([]byte(`{"usage":{"total_tokens":12}}`), false)
	f.Add([]byte(`{"a":[{"usage":1}],"usage":{"prompt_tokens":1,"x":"}"}}`), false)
	f.Add([]byte("data: {\"usage\":{\"total_tokens\":12}}\n\n"), true)
	f.Add([]byte("data: {\"a\":\"usage\",\"usage\" :\t{\"total_tokens\":12}}\ndata: {\"usage\":null}\n"), true)
	f.Fuzz(func(t *testing.T, answer []byte, stream bool) {
		m := NewMeter(iotest.HalfReader(strings.NewReader(string(answer))), stream)
		if text, err := io.ReadAll(m); err != nil || string(text) != string(answer) {
			t.Fatalf("the answer was changed: %v", err)
		}
		got := m.Count(0)
		if got.Tokens < 0 {
			t.Fatalf("Count = %+v", got)
		}
		if stream && onlyJSON(answer) {
			m := NewMeter(strings.NewReader(string(answer)), true)
			_, _ = io.Copy(io.Discard, struct{ io.Reader }{m})
			if whole := m.Count(0); whole != got {
				t.Errorf("read at once it is %+v, in halves %+v", whole, got)
			}
		}
		var doc map[string]json.RawMessage
		if stream || json.Unmarshal(answer, &doc) != nil || strings.Count(string(answer), "sage") != 1 ||
			strings.ContainsAny(string(answer), `\`) || len(answer) > maxUsage {
			return
		}
		var u struct {
			Total *int64 `json:"total_tokens"`
		}
		raw, there := doc["usage"]
		if told := there && strings.HasPrefix(string(raw), "{") && json.Unmarshal(raw, &u) == nil && u.Total != nil; told && *u.Total >= 0 &&
			got.Estimate && json.Unmarshal(raw, &map[string]*int64{}) == nil {
			t.Errorf("Count = %+v, and a decoder finds %s", got, raw)
		}
	})
}

// onlyJSON reports whether all data of a stream is JSON, an event in a line.
func onlyJSON(stream []byte) bool {
	for line := range strings.Lines(string(stream)) {
		if data, ok := strings.CutPrefix(line, "data:"); ok && !json.Valid([]byte(data)) {
			return false
		}
	}
	return true
}

// What an answer said of prompt and answer, and when its first event came, are
// for those who count requests.
func TestTold(t *testing.T) {
	for _, tt := range []struct {
		answer        string
		stream        bool
		input, output int64
	}{
		{`{"usage":{"prompt_tokens":9,"completion_tokens":3,"total_tokens":12}}`, false, 9, 3},
		{`{"usage":{"input_tokens":2,"output_tokens":4}}`, false, 2, 4},
		{`{"usage":{"prompt_tokens":8,"total_tokens":8}}`, false, 8, 0},
		{`{"usage":{"prompt_tokens":-8,"completion_tokens":1}}`, false, 0, 1},
		{`{"choices":[]}`, false, 0, 0},
		{"data: {\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":1}}\n\ndata: {\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":2}}\n\n", true, 1, 2},
		{": comment\n\n", true, 0, 0},
	} {
		m := NewMeter(strings.NewReader(tt.answer), tt.stream)
		if _, err := io.Copy(io.Discard, m); err != nil {
			t.Fatal(err)
		}
		if in, out := m.Told(); in != tt.input || out != tt.output {
			t.Errorf("%s: told %d and %d, want %d and %d", tt.answer, in, out, tt.input, tt.output)
		}
		if began := !m.Began().IsZero(); began != strings.HasPrefix(tt.answer, "data:") {
			t.Errorf("%s: a first event came: %v", tt.answer, began)
		}
	}
}

// Budget of 2026-11: an event costs no allocation, whoever counts it.
func TestEventsAllocateNothing(t *testing.T) {
	event := []byte(`data: {"id":"x","choices":[{"index":0,"delta":{"content":"word"}}],"usage":null}` + "\n\n")
	from := bytes.NewReader(event)
	m, p := NewMeter(from, true), make([]byte, len(event))
	if n := testing.AllocsPerRun(100, func() {
		from.Reset(event)
		if n, err := m.Read(p); n != len(event) || err != nil {
			t.Fatal(n, err)
		}
	}); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}

func BenchmarkMeter(b *testing.B) {
	event := `data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":" word"},"finish_reason":null}],"usage":null}` + "\n\n"
	text := strings.Repeat(event, 100)
	p := make([]byte, 32<<10)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		m := NewMeter(strings.NewReader(text), true)
		for {
			if _, err := m.Read(p); err != nil {
				break
			}
		}
	}
}
