package openai

import (
	"bytes"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
)

func TestBilled(t *testing.T) {
	const head, tail = `{"model":"m",`, `"messages":[{"role":"user","content":"hi"}]}`
	with := func(fields string) string { return head + fields + tail }
	end := func(fields string) string { return strings.TrimSuffix(with(""), "}") + fields + "}" }
	for _, tt := range []struct {
		name string
		in   string
		b    Billing
		want string // "": as it was
	}{
		{"nothing asked", with(""), Billing{}, ""},
		{"bound added", with(""), Billing{Most: 9}, end(`,"max_tokens":9`)},
		{"bound lowered", with(`"max_tokens":10,`), Billing{Most: 9}, with(`"max_tokens":9,`)},
		{"bound kept", with(`"max_tokens":9,`), Billing{Most: 9}, ""},
		{"the other name", with(`"max_completion_tokens": 1e3 ,`), Billing{Most: 9}, with(`"max_completion_tokens": 9 ,`)},
		{"both", with(`"max_tokens":3,"max_completion_tokens":99,`), Billing{Most: 9}, with(`"max_tokens":3,"max_completion_tokens":9,`)},
		{"null", with(`"max_tokens":null,`), Billing{Most: 9}, with(`"max_tokens":9,`)},
		{"as much as you like", with(`"max_tokens":-1,`), Billing{Most: 9}, with(`"max_tokens":9,`)},
		{"beyond all numbers", with(`"max_tokens":99999999999999999999,`), Billing{Most: 9}, with(`"max_tokens":9,`)},
		{"in another case", with(`"MAX_tokens":99,`), Billing{Most: 9}, with(`"MAX_tokens":9,`)},
		{"llama-server's, twice", with(`"n_predict":-1,"n_predict":99,"max_tokens":2,`), Billing{Most: 9}, with(`"n_predict":9,"n_predict":9,"max_tokens":2,`)},
		{"shared by choices", with(`"n":4,"max_tokens":99,`), Billing{Most: 9}, with(`"n":4,"max_tokens":2,`)},
		{"more choices than tokens", with(`"n":40,`), Billing{Most: 9}, strings.TrimSuffix(with(`"n":40,`), "}") + `,"max_tokens":1}`},
		{"usage, no stream", with(""), Billing{Usage: true}, ""},
		{"usage added", with(`"stream":true,`), Billing{Usage: true}, strings.TrimSuffix(with(`"stream":true,`), "}") + `,"stream_options":{"include_usage":true}}`},
		{"usage asked for", with(`"stream":true,"stream_options":{"include_usage":true},`), Billing{Usage: true}, ""},
		{"usage refused", with(`"stream":true,"stream_options":{"x":1, "include_usage" : false},`), Billing{Usage: true}, with(`"stream":true,"stream_options":{"x":1, "include_usage" : true},`)},
		{"options without it", with(`"stream":true,"stream_options": { "x":{}},`), Billing{Usage: true}, with(`"stream":true,"stream_options": {"include_usage":true, "x":{}},`)},
		{"no options", with(`"stream":true,"stream_options":{ },`), Billing{Usage: true}, with(`"stream":true,"stream_options":{"include_usage":true },`)},
		{"null options", with(`"stream":true,"stream_options":null,`), Billing{Usage: true}, with(`"stream":true,"stream_options":{"include_usage":true},`)},
		{"space behind", with(`"stream":true,`) + " \n", Billing{Most: 9, Usage: true}, strings.TrimSuffix(with(`"stream":true,`), "}") + `,"max_tokens":9,"stream_options":{"include_usage":true}}` + " \n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			body := []byte(tt.in)
			v, e := ParseChat(body)
			if e != nil {
				t.Fatal(e.Message)
			}
			want := tt.want
			if want == "" {
				want = tt.in
			}
			got := Billed(body, v, tt.b)
			if string(got) != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
			if tt.want == "" && &got[0] != &body[0] {
				t.Error("a body that needs nothing was copied")
			}
			if string(body) != tt.in {
				t.Error("the body itself was changed")
			}
		})
	}
	body := []byte(`{"model":"m","prompt":"p","n":2,"best_of":5}`)
	v, e := ParseCompletion(body)
	if e != nil {
		t.Fatal(e.Message)
	}
	if got, want := string(Billed(body, v, Billing{Most: 50})), `{"model":"m","prompt":"p","n":2,"best_of":5,"max_tokens":10}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// Whatever a client sends, what the backend gets is valid, has the bound and the
// usage, and is otherwise the same.
func FuzzBilled(f *testing.F) {
	f.Add([]byte(`{"model":"m","messages":[{"role":"user"}],"stream":true,"stream_options":{"a":[{}]},"max_tokens":5}`), int64(3))
	f.Add([]byte(` {"max_completion_tokens":null,"n":3,"model":"m","messages":[{"role":"u"}]} `), int64(100))
	f.Fuzz(func(t *testing.T, body []byte, most int64) {
		v, e := ParseChat(body)
		if e != nil || most <= 0 {
			return
		}
		got := Billed(body, v, Billing{Most: most, Usage: true})
		after, e := ParseChat(got)
		if e != nil {
			t.Fatalf("%s became %s: %s", body, got, e.Message)
		}
		bounded := false
		for _, field := range after.Fields {
			if !isBound(field.Name) {
				continue
			}
			bounded = true
			var n int64
			if json.Unmarshal(field.Raw(got), &n) != nil || n < 0 || n > most && n != 1 {
				t.Fatalf("the bound of %d is %s in %s", most, field.Raw(got), got)
			}
		}
		if !bounded || after.Stream && !after.IncludeUsage || after.Model != v.Model || after.Stream != v.Stream || after.N != v.N {
			t.Fatalf("%s became %s", body, got)
		}
		// Other fields keep their bytes and their order.
		rest := func(v View, b []byte) (all []string) {
			for _, field := range v.Fields {
				if !slices.ContainsFunc(BilledFields, func(n string) bool { return strings.EqualFold(n, field.Name) }) {
					all = append(all, string(b[field.Start:field.End]))
				}
			}
			return all
		}
		if !slices.Equal(rest(v, body), rest(after, got)) {
			t.Fatalf("%s became %s: other fields changed", body, got)
		}
		if again := Billed(got, after, Billing{Most: most, Usage: true}); !bytes.Equal(again, got) {
			t.Fatalf("once more it became %s", again)
		}
	})
}

// The published table is that of the code.
func TestBilledFieldsArePublished(t *testing.T) {
	text, err := os.ReadFile("../../docs/spec/fields.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(string(text), "\n| set by the provider | to |\n| --- | --- |\n")
	if !found {
		t.Fatal("there is no such table")
	}
	table, _, _ = strings.Cut(table, "\n\n")
	var published []string
	for line := range strings.Lines(table) {
		published = append(published, strings.Split(line, "`")[1])
	}
	if !slices.Equal(published, BilledFields) {
		t.Errorf("the document has %q, the code %q", published, BilledFields)
	}
}

// Whatever a body calls the number of answers, none is written that is not counted,
// and no number is so large that their product is a small one.
func TestChoices(t *testing.T) {
	for body, want := range map[string]int{
		`{"model":"m","prompt":"p"}`:                                     1,
		`{"model":"m","prompt":"p","n":3,"best_of":2}`:                   3,
		`{"model":"m","prompt":"p","n":2,"best_of":5}`:                   5,
		`{"model":"m","prompt":["a","b","c"],"n":2}`:                     6,
		`{"model":"m","prompt":[1,2,3],"n":2}`:                           2,
		`{"model":"m","prompt":[[1,2],[3]]}`:                             2,
		`{"model":"m","prompt":"p","n":2.0}`:                             2,
		`{"model":"m","prompt":"p","n":2e2}`:                             200,
		`{"model":"m","prompt":"p","n":1.5}`:                             2,
		`{"model":"m","prompt":"p","n":null,"best_of":-7}`:               1,
		`{"model":"m","prompt":"p","best_of":1125899906842624}`:          maxBound,
		`{"model":"m","prompt":"p","n":9999999999999999999999}`:          maxBound,
		`{"model":"m","prompt":"p","n":1e999}`:                           maxBound,
		`{"model":"m","prompt":["a","b"],"best_of":9223372036854775807}`: maxBound,
	} {
		v, e := ParseCompletion([]byte(body))
		if e != nil {
			t.Fatal(body, e.Message)
		}
		if got := v.Choices([]byte(body)); got != want {
			t.Errorf("%s: %d choices, want %d", body, got, want)
		}
	}
	// Some servers skip what a chat has no use for.
	body := []byte(`{"model":"m","messages":[{"role":"user","content":"x"}],"max_tokens":9,"best_of":1125899906842624}`)
	v, e := ParseChat(body)
	if e != nil {
		t.Fatal(e.Message)
	}
	if got := v.Most(body); got != 9*maxBound {
		t.Errorf("the answer has %d tokens at most", got)
	}
}
