package openai_test

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/culvert-net/culvert/api/openai"
)

func parse(t testing.TB, body string) openai.View {
	t.Helper()
	v, e := openai.ParseChat([]byte(body))
	if e != nil {
		t.Fatalf("%s: %v", body, e)
	}
	return v
}

func TestScrub(t *testing.T) {
	pseudonym := func(field, value string) string { return "p<" + field + ":" + value + ">" }
	for _, c := range []struct{ body, want string }{
		{`{"model":"m",` + hi + `}`, `{"model":"m",` + hi + `}`},
		{`{"user":"alice","model":"m",` + hi + `}`, `{"model":"m",` + hi + `}`},
		{`{"model":"m","user":"alice",` + hi + `}`, `{"model":"m",` + hi + `}`},
		{`{"model":"m",` + hi + `,"user":"alice"}`, `{"model":"m",` + hi + `}`},
		{`{ "user" : "a" , "metadata" : {"user":1} , "model":"m" , "safety_identifier":null , ` + hi + ` , "user":"b" }`, `{ "model":"m" , ` + hi + ` }`},
		{`{"USER":"alice","Metada\u0074a":[],"model":"m",` + hi + `}`, `{"model":"m",` + hi + `}`},
		{`{"model":"m","store":true,` + hi + `}`, `{"model":"m","store":false,` + hi + `}`},
		{`{"model":"m","store" : "yes" ,` + hi + `}`, `{"model":"m","store" : false ,` + hi + `}`},
		{`{"model":"m","store":false,` + hi + `}`, `{"model":"m","store":false,` + hi + `}`},
		{`{"model":"m","store":null,` + hi + `}`, `{"model":"m","store":null,` + hi + `}`},
		{`{"model":"m","prompt_cache_key":"k\"1",` + hi + `}`, `{"model":"m","prompt_cache_key":"p\u003cprompt_cache_key:k\"1\u003e",` + hi + `}`},
		{`{"model":"m","prompt_cache_key":7,` + hi + `}`, `{"model":"m",` + hi + `}`},
		{`{"model":"m","x":{"user":"kept","store":true},` + hi + `}`, `{"model":"m","x":{"user":"kept","store":true},` + hi + `}`},
	} {
		got := string(openai.Scrub([]byte(c.body), parse(t, c.body), "", pseudonym))
		if got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.body, got, c.want)
		}
	}
}

func TestScrubWithoutPseudonyms(t *testing.T) {
	body := `{"model":"m","prompt_cache_key":"k",` + hi + `}`
	if got, want := string(openai.Scrub([]byte(body), parse(t, body), "", nil)), `{"model":"m",`+hi+`}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestEdit(t *testing.T) {
	const body = `{"model":"a" , ` + hi + `, "x":1}`
	v := parse(t, body)
	drop := func(fields ...int) (edits []openai.Edit) {
		for _, f := range fields {
			edits = append(edits, openai.Edit{Field: f})
		}
		return edits
	}
	for _, c := range []struct {
		edits []openai.Edit
		want  string
	}{
		{nil, body},
		{[]openai.Edit{{Field: 0, Value: []byte(`"other"`)}}, `{"model":"other" , ` + hi + `, "x":1}`},
		{[]openai.Edit{{Field: 2, Value: []byte(`[2]`)}, {Field: 0}}, `{` + hi + `, "x":[2]}`},
		{drop(0), `{` + hi + `, "x":1}`},
		{drop(1), `{"model":"a", "x":1}`},
		{drop(2), `{"model":"a" , ` + hi + `}`},
		{drop(0, 1), `{"x":1}`},
		{drop(2, 1), `{"model":"a"}`},
		{drop(0, 2), `{` + hi + `}`},
		{drop(0, 1, 2), `{}`},
	} {
		if got := string(v.Edit([]byte(body), c.edits)); got != c.want {
			t.Errorf("%v\n got %s\nwant %s", c.edits, got, c.want)
		}
	}
}

// TestFieldTable compares FieldRules with what is published.
func TestFieldTable(t *testing.T) {
	doc, err := os.ReadFile("../../docs/spec/fields.md")
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(string(doc), "\n## ") // later ones are other tables
	var rows []string
	for line := range strings.Lines(first) {
		if strings.HasPrefix(line, "| `") {
			rows = append(rows, strings.TrimSpace(line))
		}
	}
	var want []string
	for _, r := range openai.FieldRules {
		want = append(want, fmt.Sprintf("| `%s` | %s | %s |", r.Name, r.Action, r.Why))
	}
	if got, want := strings.Join(rows, "\n"), strings.Join(want, "\n"); got != want {
		t.Errorf("docs/spec/fields.md has\n%s\nand FieldRules\n%s", got, want)
	}
}

func FuzzParseChat(f *testing.F) {
	f.Add([]byte(`{"model":"m",` + hi + `}`))
	f.Add([]byte(`{"user":"a","store":true , "prompt_cache_key":"k","model":"m",` + hi + `,"metadata":{}}`))
	f.Add([]byte(" {\"\\u006dodel\" : \"m\",\"x\":[{},[],\"]\",-1e5,null,true],\r\n" + hi + "}\t"))
	f.Add([]byte(`{"stream_options":{"include_usage":true},"stream":true,"model":"m","messages":[{"role":"a"},{"role":"b","x":{}}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		v, e := openai.ParseChat(body)
		if e != nil {
			if !json.Valid(e.JSON()) {
				t.Fatalf("error %s is not JSON", e.JSON())
			}
			return
		}
		var doc map[string]json.RawMessage
		if err := json.Unmarshal(body, &doc); err != nil {
			t.Fatalf("accepted what does not parse: %v", err)
		}
		for _, field := range v.Fields {
			if field.Name == "" {
				continue
			}
			if raw := field.Raw(body); !json.Valid(raw) {
				t.Fatalf("field %q holds %q", field.Name, raw)
			}
			if _, ok := doc[field.Name]; !ok {
				t.Fatalf("field %q does not exist", field.Name)
			}
		}
		checkScrubbed(t, body, v)
	})
}

// checkScrubbed checks that Scrub leaves a request which parses to the same
// fields, in the same bytes, without those of the table.
func checkScrubbed(t *testing.T, body []byte, v openai.View) {
	before := string(body)
	out := openai.Scrub(body, v, "", func(_, value string) string { return "p" + value })
	if string(body) != before {
		t.Fatal("Scrub changed its input")
	}
	after, e := openai.ParseChat(out)
	if e != nil {
		t.Fatalf("scrubbed body is refused: %v\n%q", e, out)
	}
	if after.Model != v.Model || after.Stream != v.Stream || after.IncludeUsage != v.IncludeUsage {
		t.Fatalf("scrubbed body means something else: %q", out)
	}
	rule := func(f openai.Field) (openai.FieldRule, bool) {
		for _, r := range openai.FieldRules {
			if strings.EqualFold(r.Name, f.Name) {
				return r, true
			}
		}
		return openai.FieldRule{}, false
	}
	var want, got []string
	for _, f := range v.Fields {
		if _, ok := rule(f); !ok {
			want = append(want, string(body[f.Start:f.End]))
		}
	}
	for _, f := range after.Fields {
		r, ok := rule(f)
		switch {
		case !ok:
			got = append(got, string(out[f.Start:f.End]))
		case r.Action == openai.Drop:
			t.Fatalf("field %q was not dropped: %q", f.Name, out)
		}
	}
	if strings.Join(got, "\x00") != strings.Join(want, "\x00") {
		t.Fatalf("untouched fields changed:\n%q\n%q", want, got)
	}
}
