package terms

import (
	"strings"
	"testing"

	"github.com/culvert-net/culvert/api/openai"
	"github.com/culvert-net/culvert/api/usage"
	"github.com/culvert-net/culvert/ledger"
	"github.com/culvert-net/culvert/ledger/channel"
)

func of(t *testing.T, body string) Terms {
	t.Helper()
	view, e := openai.ParseChat([]byte(body))
	if e != nil {
		t.Fatal(e)
	}
	return Of([]byte(body), view)
}

func TestOf(t *testing.T) {
	picture := strings.Repeat("QUJD", 100_000)
	plain := `{"model":"m","messages":[{"role":"user","content":"hello"}]`
	withPicture := `{"model":"m","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,` + picture + `"}}]}]}`
	for name, c := range map[string]struct {
		body string
		want Terms
	}{
		"no bound":         {plain + `}`, Terms{Input: uint64(len(plain)) + 1 + template}},
		"a bound":          {plain + `,"max_tokens":50}`, Terms{Input: uint64(len(plain)) + 17 + template, Output: 50}},
		"the least of two": {plain + `,"max_tokens":50,"max_completion_tokens":40}`, Terms{Input: uint64(len(plain)) + 44 + template, Output: 40}},
		"all choices":      {plain + `,"n":3,"max_tokens":50}`, Terms{Input: uint64(len(plain)) + 23 + template, Output: 150}},
		"no number":        {plain + `,"max_tokens":null}`, Terms{Input: uint64(len(plain)) + 19 + template}},
		"beyond numbers":   {plain + `,"max_tokens":99999999999999}`, Terms{Input: uint64(len(plain)) + 29 + template}},
		"a picture": {withPicture, Terms{
			Input: uint64(len(withPicture)-len(picture)-len(`"data:image/png;base64,`)) + template + image, Images: 1,
		}},
	} {
		if got := of(t, c.body); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

func TestCap(t *testing.T) {
	for _, c := range []struct {
		context, choices int
		want             uint64
	}{{0, 1, DefaultOutput}, {2048, 1, 2048}, {1 << 20, 1, DefaultOutput}, {2048, 3, 3 * 2048}, {2048, 0, 2048}, {0, 1 << 31, DefaultOutput << 31}} {
		if got := Cap(c.context, c.choices); got != c.want {
			t.Errorf("Cap(%d, %d) = %d, want %d", c.context, c.choices, got, c.want)
		}
	}
}

func TestUsage(t *testing.T) {
	s := usage.Snapshot{Input: 5, Cached: -1, Output: 7, Reasoning: 2, Images: 1, Text: usage.Delivered{Content: 10, Reasoning: 3, Tools: 4, Calls: 5}}
	if got, want := Usage(s), (ledger.Usage{Input: 5, Output: 7, Reasoning: 2, Images: 1}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if got, want := Delivery(s), (channel.Delivery{Text: 13, Tools: 4, ToolCalls: 5}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// What is billed is never more than a payer takes for possible.
func TestBilled(t *testing.T) {
	most := Terms{Input: 1000}
	for name, c := range map[string]struct {
		counted usage.Snapshot
		want    ledger.Usage
	}{
		"as it should be":        {usage.Snapshot{Input: 5, Cached: 4, Output: 3, Reasoning: 9, Images: 1, Text: usage.Delivered{Content: 10}}, ledger.Usage{Input: 5, Cached: 4, Output: 3, Reasoning: 9, Images: 1}},
		"a longer template":      {usage.Snapshot{Input: 1500, Output: 3, Text: usage.Delivered{Content: 10}}, ledger.Usage{Input: 1000, Output: 3}},
		"and a cache":            {usage.Snapshot{Input: 1500, Cached: 900}, ledger.Usage{Input: 100, Cached: 900}},
		"more cached than asked": {usage.Snapshot{Input: 7, Cached: 1900}, ledger.Usage{Cached: 1000}},
		"marks taken out":        {usage.Snapshot{Output: 9, Text: usage.Delivered{Content: 2}}, ledger.Usage{Output: 3}},
		"marks around a tool":    {usage.Snapshot{Output: 90, Text: usage.Delivered{Tools: 8, Calls: 1}}, ledger.Usage{Output: 8 + 32 + 1}},
		"nothing":                {usage.Snapshot{}, ledger.Usage{}},
	} {
		if got := Billed(c.counted, most); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}
