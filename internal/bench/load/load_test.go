package load

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/culvert-net/culvert/internal/bench/script"
	"github.com/culvert-net/culvert/internal/bench/upstream"
)

// cutHere is where a spoiled answer breaks off.
const cutHere = "<cut>"

// spoiling answers as the upstream does, after spoil.
func spoiling(t *testing.T, spoil func(answer string) string) string {
	t.Helper()
	up := upstream.New(upstream.Config{})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := httptest.NewRecorder()
		up.ServeHTTP(rec, r)
		text, _, cut := strings.Cut(spoil(rec.Body.String()), cutHere)
		w.Header().Set("Content-Type", rec.Header().Get("Content-Type"))
		w.WriteHeader(rec.Code)
		w.Write([]byte(text))
		if cut {
			http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}
	}))
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://")
}

// replaced puts to in place of the n-th match, counted from 0, or of all.
func replaced(pattern, to string, n int) func(string) string {
	re := regexp.MustCompile(pattern)
	return func(s string) string {
		at := -1
		return re.ReplaceAllStringFunc(s, func(match string) string {
			at++
			if n >= 0 && at != n {
				return match
			}
			return re.ReplaceAllString(match, to)
		})
	}
}

// event is a whole event that has this in it.
func event(has string) string { return `(?m)^data: [^\n]*` + has + `[^\n]*\n\n` }

// Every kind of bad answer is counted as what it is.
func TestTeeth(t *testing.T) {
	t.Parallel()
	const other = "0123456789abcdef"
	const all = -1
	right := func(s string) string { return s }
	for _, tt := range []struct {
		name   string
		stream bool
		spoil  func(string) string
		want   error // nil is right
	}{
		{"whole", false, right, nil},
		{"whole: another's nonce in a token", false, replaced(`[0-9a-f]{16}\.2@`, other+".2@", 0), errWrong},
		{"whole: another's nonce at the end", false, replaced(`[0-9a-f]{16}"`, other+`"`, 1), errWrong},
		{"whole: a token is missing", false, replaced(`[0-9a-f]{16}\.2@\d+ `, "", 0), errWrong},
		{"whole: a token is there twice", false, replaced(`([0-9a-f]{16}\.2@\d+ )`, "$1$1", 0), errWrong},
		{"whole: tokens are swapped", false, replaced(`([0-9a-f]{16}\.1@\d+ )([0-9a-f]{16}\.2@\d+ )`, "$2$1", 0), errWrong},
		{"whole: filling is lost", false, replaced(`_fox_`, "_", 1), errWrong},
		{"whole: another prompt arrived", false, replaced(`fp_\w+`, "fp_00000000", 0), errWrong},
		{"whole: no usage", false, replaced(`,"usage":\{[^}]*\}`, "", 0), errWrong},
		{"whole: usage is another's", false, replaced(`"completion_tokens":40`, `"completion_tokens":39`, 0), errWrong},
		{"whole: finish_reason", false, replaced(`"stop"`, `"length"`, 0), errWrong},
		{"whole: no text", false, replaced(`"content":"[^"]*"`, `"content":null`, 0), errWrong},
		{"whole: not JSON", false, replaced(`}$`, "", 0), errWrong},
		{"whole: cut", false, replaced(`"usage"`, cutHere, 0), errCut},
		{"whole: an error", false, replaced(`(?s)^.*$`, `{"error":{}}`, 0), errWrong},

		{"stream", true, right, nil},
		{"stream: comments are nothing", true, replaced(`(?m)^data: `, ": waiting\n\ndata: ", all), nil},
		{"stream: CRLF", true, replaced(`\n`, "\r\n", all), nil},
		{"stream: another's nonce", true, replaced(`[0-9a-f]{16}\.3@`, other+".3@", 0), errWrong},
		{"stream: the first token is missing", true, replaced(event(`\.0@`), "", 0), errWrong},
		{"stream: a token is missing", true, replaced(event(`\.2@`), "", 0), errWrong},
		{"stream: the last token is missing", true, replaced(event(`\.4@`), "", 0), errWrong},
		{"stream: a token is there twice", true, replaced(`(`+event(`\.2@`)+`)`, "$1$1", 0), errWrong},
		{"stream: tokens are swapped", true, replaced(`(`+event(`\.2@`)+`)(`+event(`\.3@`)+`)`, "$2$1", 0), errWrong},
		{"stream: no usage", true, replaced(event(`usage`), "", 0), errWrong},
		{"stream: usage twice", true, replaced(`(`+event(`usage`)+`)`, "$1$1", 0), errWrong},
		{"stream: usage is another's", true, replaced(`"prompt_tokens":\d+`, `"prompt_tokens":1`, 0), errWrong},
		{"stream: no finish_reason", true, replaced(event(`"stop"`), "", 0), errWrong},
		{"stream: another finish_reason", true, replaced(`"stop"`, `"length"`, 0), errWrong},
		{"stream: a token after the end", true, replaced(`(`+event(`\.4@`)+`)(`+event(`"stop"`)+`)`, "$2$1", 0), errWrong},
		{"stream: another prompt arrived", true, replaced(`fp_\w+`, "fp_00000000", all), errWrong},
		{"stream: an event after the end", true, replaced(`(data: \[DONE\]\n\n)`, "$1$1", 0), errWrong},
		{"stream: events run together", true, replaced(`\n\n(data: .*\.3@)`, "\n$1", 0), errWrong},
		{"stream: the blank line after the end is missing", true, replaced(`\[DONE\]\n\n`, "[DONE]\n", 0), errCut},
		{"stream: half of a token's event", true, replaced(`(\.3@\d+ ").*`, "$1", 0), errWrong},
		{"stream: half of the first event", true, replaced(`("content":"").*`, "$1", 0), errWrong},
		{"stream: a token is empty", true, replaced(`[0-9a-f]{16}\.3@\d+ `, "", 0), errWrong},
		{"stream: no [DONE]", true, replaced(`data: \[DONE\]\n\n`, "", 0), errCut},
		{"stream: ends in an event", true, replaced(`(?s)\.3@.*`, "", 0), errCut},
		{"stream: cut", true, replaced(event(`\.3@`), cutHere, 0), errCut},
		{"stream: cut, and says so", true, replaced(event(`\.3@`), "data: {\"error\":{}}\n\n"+cutHere, 0), errCut},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			addr := spoiling(t, func(s string) string {
				spoiled := tt.spoil(s)
				if tt.want != nil && spoiled == s {
					t.Error("the answer is as it was: this test has no teeth")
				}
				return spoiled
			})
			r := Run(t.Context(), addr, Load{Clients: 1, Stream: tt.stream, Count: 1, Order: script.Order{Tokens: 5, Fill: fill(tt.stream)}})
			got := [...]int{r.Right, r.Wrong, r.Cut, r.Failed}
			want := map[error][4]int{nil: {1, 0, 0, 0}, errWrong: {0, 1, 0, 0}, errCut: {0, 0, 1, 0}}[tt.want]
			if got != want {
				t.Errorf("right, wrong, cut, failed = %v, want %v; why: %q", got, want, r.Why)
			}
		})
	}
}

// fill puts something after the tokens of answers that are not streamed.
func fill(stream bool) int {
	if stream {
		return 0
	}
	return 300
}

func TestFailed(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.NotFoundHandler())
	addr := strings.TrimPrefix(s.URL, "http://")
	l := Load{Clients: 2, Count: 3, Order: script.Order{Tokens: 1}}
	if r := Run(t.Context(), addr, l); r.Failed != 3 || len(r.Why) != 3 || !strings.Contains(r.Why[0], "404") {
		t.Errorf("%d failed, %q; want 3, and the status", r.Failed, r.Why)
	}
	s.Close()
	if r := Run(t.Context(), addr, l); r.Failed != 3 {
		t.Errorf("%d failed with nobody there, want 3", r.Failed)
	}
}

// A kept connection that the server closed is made anew, and counted.
func TestStaleConnection(t *testing.T) {
	t.Parallel()
	up := httptest.NewUnstartedServer(upstream.New(upstream.Config{Llama: true}))
	up.Listener = upstream.Slow(up.Listener)
	up.Start()
	t.Cleanup(up.Close)
	r := Run(t.Context(), strings.TrimPrefix(up.URL, "http://"), Load{Clients: 1, Count: 4, Stream: true, Order: script.Order{Tokens: 2}})
	if r.Right != 4 || r.Stale != 3 {
		t.Errorf("%d right, %d stale connections; want 4 and 3: %q", r.Right, r.Stale, r.Why)
	}
}

// What is counted is counted once.
func TestCounts(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(upstream.New(upstream.Config{}))
	t.Cleanup(s.Close)
	began, ended := 0, 0
	r := Run(t.Context(), strings.TrimPrefix(s.URL, "http://"), Load{
		Clients: 3, Count: 20, Stream: true, Order: script.Order{Tokens: 4, Rate: 1000, Pad: 10_000},
		Begin: func() { began++ }, End: func() { ended++ },
	})
	if r.Right != 20 || r.Answers != 20 || r.Chunks != 80 || len(r.Latency) != 20 || len(r.First) != 20 || len(r.Gap) != 60 || len(r.Delay) != 80 {
		t.Errorf("right %d, answers %d, chunks %d, latencies %d, first %d, gaps %d, delays %d; want 20, 20, 80, 20, 20, 60, 80: %q",
			r.Right, r.Answers, r.Chunks, len(r.Latency), len(r.First), len(r.Gap), len(r.Delay), r.Why)
	}
	if r.Bytes < 20*10_000 {
		t.Errorf("%d bytes, want those of the prompts too", r.Bytes)
	}
	if began != 1 || ended != 1 {
		t.Errorf("measuring began %d times and ended %d times", began, ended)
	}
	for i, first := range r.First {
		if first <= 0 || first > r.Latency[len(r.Latency)-1] {
			t.Errorf("first token %d came after %v", i, first)
		}
	}
}

func TestPercentile(t *testing.T) {
	ms := func(n ...int) []time.Duration {
		var d []time.Duration
		for _, v := range n {
			d = append(d, time.Duration(v))
		}
		return d
	}
	var hundred []time.Duration
	for i := range 100 {
		hundred = append(hundred, time.Duration(i+1))
	}
	for _, tt := range []struct {
		sorted []time.Duration
		p      float64
		want   time.Duration
	}{
		{nil, 50, 0},
		{ms(7), 50, 7},
		{ms(7), 99, 7},
		{ms(1, 2), 50, 1},
		{ms(1, 2), 51, 2},
		{ms(1, 2, 3), 50, 2},
		{hundred, 0, 1},
		{hundred, 50, 50},
		{hundred, 90, 90},
		{hundred, 99, 99},
		{hundred, 99.5, 100},
		{hundred, 100, 100},
	} {
		if got := Percentile(tt.sorted, tt.p); got != tt.want {
			t.Errorf("Percentile(%d values, %v) = %d, want %d", len(tt.sorted), tt.p, got, tt.want)
		}
	}
}
