package app

import (
	"bytes"
	"testing"
	"testing/synctest"
	"time"
)

// What is over soon is not spoken of; what takes long is, and nothing is left of it.
func TestSlow(t *testing.T) {
	for name, c := range map[string]struct {
		takes time.Duration
		want  string
	}{
		"soon": {slowAfter - 1, ""},
		"long": {slowAfter + 1, "\r\x1b[K... the chain is asked\r\x1b[K"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var out bytes.Buffer
				done := slow(&Progress{out: &out, live: true}, "the chain is asked")
				time.Sleep(c.takes)
				done()
				time.Sleep(time.Hour)
				if got := out.String(); got != c.want {
					t.Errorf("a person sees %q, want %q", got, c.want)
				}
			})
		})
	}
}
