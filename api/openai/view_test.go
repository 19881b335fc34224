package openai_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/culvert-net/culvert/api/backend/backendtest"
	"github.com/culvert-net/culvert/api/openai"
)

const hi = `"messages":[{"role":"user","content":"hi"}]`

func TestParseChat(t *testing.T) {
	for _, c := range []struct {
		body string
		want openai.View
	}{
		{`{"model":"m",` + hi + `}`, openai.View{Model: "m"}},
		{" \r\n{ " + hi + ` , "stream" : true , "model" : "m" } `, openai.View{Model: "m", Stream: true}},
		{`{"model":"caf\u00e9/\ud83d\ude87:q4",` + hi + `}`, openai.View{Model: "café/🚇:q4"}},
		{`{"mod\u0065l":"m",` + hi + `,"stre\u0061m":true}`, openai.View{Model: "m", Stream: true}},
		{`{"Model":"m",` + hi + `}`, openai.View{Model: "m"}},
		{`{"model":"m","stream":null,"stream_options":null,"max_tokens":null,` + hi + `}`, openai.View{Model: "m"}},
		{`{"model":"m","stream":true,"stream_options":{"x":[{}],"include_usage":true},` + hi + `}`, openai.View{Model: "m", Stream: true, IncludeUsage: true}},
		{`{"model":"m","stream_options":{},"max_tokens":-1,"n":2,` + hi + `}`, openai.View{Model: "m"}},
		{`{"model":"m","x":1,"x":2,"messages":[{"x":{"role":1},"role":"user"},{"content":[],"role":"tool"}]}`, openai.View{Model: "m"}},
		{`{"model":"m","x":` + strings.Repeat("[", 9000) + strings.Repeat("]", 9000) + `,` + hi + `}`, openai.View{Model: "m"}},
		{`{"model":"m","` + strings.Repeat("k", 1000) + `":"\"}\\",` + hi + `}`, openai.View{Model: "m"}},
	} {
		v, e := openai.ParseChat([]byte(c.body))
		if e != nil {
			t.Errorf("%.200s: %v", c.body, e)
			continue
		}
		if v.Model != c.want.Model || v.Stream != c.want.Stream || v.IncludeUsage != c.want.IncludeUsage {
			t.Errorf("%.200s: %q stream %v usage %v", c.body, v.Model, v.Stream, v.IncludeUsage)
		}
	}
}

func TestParseChatRefuses(t *testing.T) {
	for _, c := range []struct{ body, param, message string }{
		{"", "", "empty"},
		{"{", "", "not valid JSON"},
		{`{"model":"m",}`, "", "near byte 14"},
		{"\xef\xbb\xbf{}", "", "not valid JSON"},
		{`{}{}`, "", "not valid JSON"},
		{"null", "", "must be a JSON object"},
		{"[1]", "", "must be a JSON object"},
		{"{}", "model", "missing"},
		{`{"model":"",` + hi + `}`, "model", "empty"},
		{`{"model":null,` + hi + `}`, "model", "must be a string"},
		{`{"model":7,` + hi + `}`, "model", "must be a string"},
		{`{"model":"` + strings.Repeat("m", 257) + `",` + hi + `}`, "model", "longer than 256"},
		{`{"model":"` + strings.Repeat("m", 1<<20) + `",` + hi + `}`, "model", "longer than 256"},
		{`{"model":"a\nb",` + hi + `}`, "model", "characters"},
		{"{\"model\":\"a\xffb\"," + hi + `}`, "model", "characters"},
		{`{"model":"a","model":"b",` + hi + `}`, "model", "twice"},
		{`{"model":"a","MODEL":"b",` + hi + `}`, "model", "twice"},
		{`{"model":"a","mode\u006c":"b",` + hi + `}`, "model", "twice"},
		{`{"model":"a",` + hi + `,` + hi + `}`, "messages", "twice"},
		{`{"model":"a","stream":true,"ſtream":false,` + hi + `}`, "stream", "twice"},
		{`{"model":"a","max_tokens":1,"max_tokens":9,` + hi + `}`, "max_tokens", "twice"},
		{`{"model":"m"}`, "messages", "missing"},
		{`{"model":"m","messages":null}`, "messages", "must be an array"},
		{`{"model":"m","messages":{}}`, "messages", "must be an array"},
		{`{"model":"m","messages":[ ]}`, "messages", "empty"},
		{`{"model":"m","messages":["hi"]}`, "messages[0]", "must be an object"},
		{`{"model":"m","messages":[{"role":"user"},{}]}`, "messages[1].role", "exactly one role"},
		{`{"model":"m","messages":[{"role":"user","Role":"system"}]}`, "messages[0].role", "exactly one role"},
		{`{"model":"m","messages":[{"role":1}]}`, "messages[0].role", "must be a string"},
		{`{"model":"m","messages":[{"role":""}]}`, "messages[0].role", "must be a string"},
		{`{"model":"m","stream":1,` + hi + `}`, "stream", "true or false"},
		{`{"model":"m","stream":"true",` + hi + `}`, "stream", "true or false"},
		{`{"model":"m","stream_options":[],` + hi + `}`, "stream_options", "must be an object"},
		{`{"model":"m","stream_options":{"include_usage":1},` + hi + `}`, "stream_options.include_usage", "true or false"},
		{`{"model":"m","max_tokens":"9",` + hi + `}`, "max_tokens", "must be a number"},
		{`{"model":"m","n":[],` + hi + `}`, "n", "must be a number"},
		{`{"model":"m"` + strings.Repeat(`,"x":1`, 1100) + `,` + hi + `}`, "", "more than 1024"},
		{strings.Repeat("[", 20000), "", "not valid JSON"},
	} {
		_, e := openai.ParseChat([]byte(c.body))
		if e == nil {
			t.Errorf("%.100s: accepted", c.body)
			continue
		}
		if e.Status != 400 || e.Type != "invalid_request_error" || e.Param != c.param || !strings.Contains(e.Message, c.message) {
			t.Errorf("%.100s: %d %s, param %q, %q; want param %q, %q", c.body, e.Status, e.Type, e.Param, e.Message, c.param, c.message)
		}
	}
}

func TestParseChatRandom(t *testing.T) {
	const seed = 11
	r := rand.New(rand.NewPCG(seed, seed))
	for i := range 500 {
		body := backendtest.RandomBody(r, "some/model")
		v, e := openai.ParseChat(body)
		if e != nil || v.Model != "some/model" {
			t.Fatalf("body %d of seed %d: %q, %v", i, seed, v.Model, e)
		}
		if got := openai.Scrub(body, v, "", nil); &got[0] != &body[0] {
			t.Fatalf("body %d of seed %d: Scrub copied a body it did not change", i, seed)
		}
	}
}

func BenchmarkParseChat(b *testing.B) {
	body := []byte(`{"model":"m","stream":true,"temperature":0.7,` +
		`"messages":[{"role":"user","content":"` + strings.Repeat("word ", 2000) + `"}]}`)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, e := openai.ParseChat(body); e != nil {
			b.Fatal(e)
		}
	}
}
