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
