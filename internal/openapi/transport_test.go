package openapi

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
)

// A Transport reports what a bridge made wrong, whatever the model server did,
// and of the model server's own words only those that a Watch found right.
func TestTransportAndWatch(t *testing.T) {
	d := published(t)
	const asked = `{"model":"m","stream":true,"messages":[{"role":"user","content":"x"}]}`
	send := func(parts ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", stream)
			for _, p := range parts {
				_, _ = io.WriteString(w, p)
				_ = http.NewResponseController(w).Flush()
			}
		}
	}
	abort := func(next http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			next(w, r)
			panic(http.ErrAbortHandler)
		}
	}
	short := without(t, chunk, `,"finish_reason":null`, ``)
	for _, tt := range []struct {
		name    string
		serve   http.HandlerFunc
		foreign bool
		want    string // part of the report; "" if there is none
	}{
		{"right", send(frames(chunk, done)), false, ""},
		{"right, byte by byte", send(strings.Split(frames(chunk, done), "")...), false, ""},
		{"right, in CRLF, byte by byte", send(strings.Split(strings.ReplaceAll(frames(chunk, done), "\n", "\r\n"), "")...), false, ""},
		{"foreign", send(frames(short, done)), true, ""},
		{"foreign without an end", send(frames(short)), true, "looks complete"},
		{"foreign, and cut in silence", abort(send(frames(short))), true, "without an error frame"},
		{"foreign, and cut aloud", abort(send(frames(short, broken))), true, ""},
		{"right, and cut aloud", abort(send(frames(chunk), frames(broken))), true, ""}, // a model server has no such frames
		{"a frame that is none of ours", abort(send(frames(chunk, without(t, broken, `,"code":null`, ``)))), true, "code"},
		{"an error", func(w http.ResponseWriter, _ *http.Request) { fail(w, 503, "later") }, false, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var foreign atomic.Bool
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				tt.serve(&Watch{ResponseWriter: w, Description: d, Request: r, Foreign: &foreign}, r)
			}))
			defer server.Close()
			reported := ""
			client := http.Client{Transport: &Transport{Description: d, Foreign: foreign.Load, Report: func(err error) { reported += err.Error() }}}
			resp, err := client.Post(server.URL+chatPath, document, strings.NewReader(asked))
			if err != nil {
				t.Fatal(err)
			}
			_, _ = io.Copy(io.Discard, resp.Body) // some are cut
			resp.Body.Close()
			if foreign.Load() != tt.foreign {
				t.Errorf("foreign: %v, want %v", foreign.Load(), tt.foreign)
			}
			if tt.want == "" && reported != "" || !strings.Contains(reported, tt.want) {
				t.Errorf("reported %q, want %q", reported, tt.want)
			}
		})
	}
}

// What nobody said to be foreign is measured whole.
func TestTransportIsStrict(t *testing.T) {
	d := published(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", document)
		_, _ = io.WriteString(w, without(t, chat, `,"refusal":null`, ``))
	}))
	defer server.Close()
	var reported []string
	client := http.Client{Transport: &Transport{Description: d, Report: func(err error) { reported = append(reported, err.Error()) }}}
	resp, err := client.Post(server.URL+chatPath, document, strings.NewReader(`{}`))
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	if len(reported) != 1 || !strings.Contains(reported[0], "refusal") {
		t.Errorf("reported %q, want once, the missing member", reported)
	}
}
