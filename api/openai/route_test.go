package openai_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/culvert-net/culvert/api/openai"
)

func TestParseCompletion(t *testing.T) {
	for _, c := range []struct {
		body  string
		words int
		n     int
	}{
		{`{"model":"m","prompt":"once upon a time"}`, 4, 1},
		{`{"model":"m","prompt":["a b","c","d e f"],"n":3,"max_tokens":9,"best_of":4}`, 3, 3},
		{`{"model":"m","prompt":[1,2,3],"stream":true}`, 0, 1},
		{`{"model":"m","prompt":[[1,2],[3]],"n":null,"user":"u"}`, 0, 1},
		{`{"model":"m","prompt":"","n":1.5}`, 0, 1},
		{`{"model":"m","PROMPT":"x","stream_options":null}`, 1, 1},
	} {
		v, e := openai.ParseCompletion([]byte(c.body))
		if e != nil {
			t.Errorf("%s: %v", c.body, e)
			continue
		}
		if v.Model != "m" || v.Words != c.words || v.N != c.n || v.Inputs != 0 || v.Stream != strings.Contains(c.body, "true") {
			t.Errorf("%s: %+v", c.body, v)
		}
	}
	for _, c := range []struct{ body, param, message string }{
		{"", "", "model and prompt"},
		{`{"model":"m"}`, "prompt", "missing"},
		{`{"prompt":"x"}`, "model", "missing"},
		{`{"model":"m","prompt":null}`, "prompt", "must be a text"},
		{`{"model":"m","prompt":{}}`, "prompt", "must be a text"},
		{`{"model":"m","prompt":[]}`, "prompt", "empty"},
		{`{"model":"m","prompt":["a",1]}`, "prompt", "array of texts"},
		{`{"model":"m","prompt":[null]}`, "prompt", "array of texts"},
		{`{"model":"m","prompt":"a","Prompt":"b"}`, "prompt", "twice"},
		{`{"model":"m","prompt":"a","best_of":2,"best_of":20}`, "best_of", "twice"},
		{`{"model":"m","prompt":"a","best_of":"2"}`, "best_of", "must be a number"},
		{`{"model":"m","prompt":"a","stream":1}`, "stream", "true or false"},
	} {
		refused(t, openai.ParseCompletion, c.body, c.param, c.message)
	}
}

func TestParseEmbedding(t *testing.T) {
	for body, inputs := range map[string]int{
		`{"model":"m","input":"a b"}`:                                                     1,
		`{"model":"m","input":["a","b","c"],"stream":false}`:                              3,
		`{"model":"m","input":[1,2,3],"stream":null}`:                                     1,
		`{"model":"m","input":[[1],[2]],"dimensions":256}`:                                2,
		`{"model":"m","input":[` + strings.Repeat(`"a",`, 2047) + `"a"]}`:                 2048,
		`{"model":"m","input":"a","encoding_format":"base64","user":"u","x":[1e400,{}] }`: 1,
	} {
		v, e := openai.ParseEmbedding([]byte(body))
		if e != nil || v.Model != "m" || v.Inputs != inputs || v.Stream {
			t.Errorf("%.100s: %d inputs, %v; want %d", body, v.Inputs, e, inputs)
		}
	}
	for _, c := range []struct{ body, param, message string }{
		{"", "", "model and input"},
		{`{"model":"m"}`, "input", "missing"},
		{`{"model":"m","input":[]}`, "input", "empty"},
		{`{"model":"m","input":7}`, "input", "must be a text"},
		{`{"model":"m","input":[` + strings.Repeat(`"a",`, 2048) + `"a"]}`, "input", "more than 2048"},
		{`{"model":"m","input":"a","input":"b"}`, "input", "twice"},
		{`{"model":"m","input":"a","stream":true}`, "stream", "not streamed"},
		{`{"model":"m","input":"a","stream":"no"}`, "stream", "true or false"},
		{`{"model":"m","input":"a","dimensions":[]}`, "dimensions", "must be a number"},
	} {
		refused(t, openai.ParseEmbedding, c.body, c.param, c.message)
	}
}

func refused(t *testing.T, parse func([]byte) (openai.View, *openai.Error), body, param, message string) {
	t.Helper()
	_, e := parse([]byte(body))
	if e == nil {
		t.Errorf("%.100s: accepted", body)
		return
	}
	if e.Status != 400 || e.Param != param || !strings.Contains(e.Message, message) {
		t.Errorf("%.100s: %d, param %q, %q; want param %q, %q", body, e.Status, e.Param, e.Message, param, message)
	}
}

// TestWords checks that no more words are counted than any tokenizer makes
// tokens of the prompt.
func TestWords(t *testing.T) {
	for content, want := range map[string]int{
		`"one two  three"`:        3,
		`"a.b(c) d-e"`:            2,
		`"日本語 テキスト"`:              0,
		`"line\nbreak\\ and é x"`: 3,
		`""`:                      0,
		`null`:                    0,
		`[{"type":"text","text":"one two"},{"type":"image_url","image_url":{"url":"data:image/png;base64,a b c d"}},{"type":"text","text":"x"},7]`: 3,
	} {
		body := `{"model":"m","messages":[{"role":"assistant","content":"not these four words"},{"content":` + content + `,"role":"user"}]}`
		if v := parse(t, body); v.Words != want {
			t.Errorf("%s: %d words, want %d", content, v.Words, want)
		}
	}
}

func TestRename(t *testing.T) {
	const body = `{"a":{"model":"x"}, "Model" : "llama" ,"messages":[{"role":"user"}],"user":"u"}`
	v := parse(t, body)
	for name, want := range map[string]string{
		"": body, "llama": body, `l"2:latest`: strings.Replace(body, `"llama"`, `"l\"2:latest"`, 1),
	} {
		if got := string(openai.Rename([]byte(body), v, name)); got != want {
			t.Errorf("Rename %q = %s, want %s", name, got, want)
		}
	}
	if got := string(openai.Scrub([]byte(body), v, "z", nil)); got != `{"a":{"model":"x"}, "Model" : "z" ,"messages":[{"role":"user"}]}` {
		t.Errorf("Scrub = %s", got)
	}
}

// TestReadFields compares the fields that are read with what is published: each
// of them twice is refused.
func TestReadFields(t *testing.T) {
	doc, err := os.ReadFile("../../docs/spec/fields.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(doc), "## Fields that are read\n")
	valid := map[string]string{
		"/v1/chat/completions": `"messages":[{"role":"user"}]`, "/v1/completions": `"prompt":"x"`, "/v1/embeddings": `"input":"x"`,
	}
	for _, r := range openai.Routes {
		_, row, found := strings.Cut(section, "| `"+r.Path+"` | ")
		row, _, _ = strings.Cut(row, " |")
		if !found {
			t.Errorf("no row for %s", r.Path)
			continue
		}
		for _, name := range strings.Split(strings.ReplaceAll(row, "`", ""), ", ") {
			body := `{"` + name + `":null,"` + name + `":null,"model":"m",` + valid[r.Path] + `}`
			refused(t, r.Parse, body, name, "twice")
		}
	}
}

func FuzzParseRoutes(f *testing.F) {
	f.Add([]byte(`{"model":"m","prompt":["a","b"],"input":[1,2],"stream":false}`))
	f.Add([]byte(`{"model":"m","prompt":"a b","input":[[1],[2]],"n":2,"stream":true}`))
	f.Add([]byte(`{"model":"m","input":["` + "\xff" + `"],"dimensions":1}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, r := range openai.Routes {
			v, e := r.Parse(body)
			if e != nil {
				if !json.Valid(e.JSON()) {
					t.Fatalf("error %s is not JSON", e.JSON())
				}
				continue
			}
			if v.Words < 0 || v.Words > len(body) || v.Inputs < 0 || v.Inputs > 2048 || r.Chunk == "" && v.Stream {
				t.Fatalf("%s: %+v", r.Path, v)
			}
			renamed := openai.Rename(body, v, "other")
			if again, e := r.Parse(renamed); e != nil || again.Model != "other" || len(again.Fields) != len(v.Fields) {
				t.Fatalf("%s renamed is %q, %v", r.Path, renamed, e)
			}
			v.Opening(body)
		}
	})
}
