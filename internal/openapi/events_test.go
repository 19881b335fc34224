package openapi

import (
	"reflect"
	"testing"
)

// However a stream is cut into writes, the events are the same.
func FuzzSplit(f *testing.F) {
	for _, s := range []string{
		frames(chunk, done), ": x\r\n\r\ndata: a\r\ndata: b\r\n\r\n", "data: a\r\rdata: b\n\n", "event: e\ndata\n\n", "data: a\n\r\ndata:b", "\r", "\n\n",
	} {
		f.Add([]byte(s), uint(7))
	}
	f.Fuzz(func(t *testing.T, text []byte, at uint) {
		want, rest := split(text, true)
		if len(rest) > len(text) {
			t.Fatalf("split(%q) leaves %q", text, rest)
		}
		i := int(at % uint(len(text)+1))
		got, rest := split(text[:i], false)
		more, _ := split(append(append([]byte(nil), rest...), text[i:]...), true)
		if got = append(got, more...); !reflect.DeepEqual(got, want) && len(got)+len(want) > 0 {
			t.Errorf("split(%q) at %d = %+v, want %+v", text, i, got, want)
		}
	})
}
