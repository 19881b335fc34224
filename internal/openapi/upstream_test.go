package openapi

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// Whatever is asked of an Upstream within the description is answered within
// it, with all members and with the least.
func TestUpstreamKeepsToTheDescription(t *testing.T) {
	d := published(t)
	server := httptest.NewServer(NewUpstream(d, "another"))
	t.Cleanup(server.Close)
	client := &http.Client{Transport: &Transport{Description: d, Report: func(err error) { t.Error(err) }}}
	for _, model := range []string{Full, Least, "another"} {
		for path, body := range map[string]string{
			chatPath:          `{"model":"M","messages":[{"role":"user","content":"x"}],"n":2}`,
			chatPath + "#":    `{"model":"M","messages":[{"role":"user","content":"x"}],"stream":true,"n":2}`,
			chatPath + "#u":   `{"model":"M","messages":[{"role":"user","content":"x"}],"stream":true,"stream_options":{"include_usage":true}}`,
			"/v1/completions": `{"model":"M","prompt":"x"}`, "/v1/completions#": `{"model":"M","prompt":"x","stream":true,"stream_options":{"include_usage":true}}`,
			"/v1/embeddings": `{"model":"M","input":["a","b"],"dimensions":3}`, "/v1/embeddings#": `{"model":"M","input":[1,2],"encoding_format":"base64"}`,
			"/v1/models": "", "/v1/models/x/y:z": "",
		} {
			var resp *http.Response
			var err error
			if body == "" {
				resp, err = client.Get(server.URL + path)
			} else {
				resp, err = client.Post(server.URL+path, document, strings.NewReader(strings.Replace(body, `"M"`, `"`+model+`"`, 1)))
			}
			if err != nil {
				t.Fatal(err)
			}
			text, err := io.ReadAll(resp.Body)
			resp.Body.Close()
			if err != nil || resp.StatusCode != http.StatusOK {
				t.Errorf("%s: status %d, %s, %v; want success", path, resp.StatusCode, text, err)
			}
			if body != "" && !bytes.Contains(text, []byte(`"model":"`+model+`"`)) {
				t.Errorf("%s: %s; want an answer of the model %s", path, text, model)
			}
		}
	}
}

// What breaks the description is refused, with the place.
func TestUpstreamRefuses(t *testing.T) {
	d := published(t)
	server := httptest.NewServer(NewUpstream(d))
	t.Cleanup(server.Close)
	client := &http.Client{Transport: &Transport{Description: d, Report: func(err error) { t.Error(err) }}}
	for _, tt := range []struct {
		path, body string
		status     int
		want       string
	}{
		{chatPath, `{}`, 400, "messages"},
		{chatPath, `{"model":"m","messages":[{"role":"user","content":"x"}],"temperature":"hot"}`, 400, "temperature"},
		{chatPath, `{"model":"m","messages":[{"role":"nobody","content":"x"}]}`, 400, "messages"},
		{"/v1/completions", `{"model":"m"}`, 400, "prompt"},
		{"/v1/embeddings", `{"model":"m","input":[]}`, 400, "input"},
		{"/v1/embeddings", `no JSON`, 400, "no JSON"},
		{"/v1/audio/speech", `{}`, 404, "/v1/audio/speech"},
	} {
		resp, err := client.Post(server.URL+tt.path, document, strings.NewReader(tt.body))
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != tt.status || !strings.Contains(string(text), tt.want) {
			t.Errorf("%s %s: status %d, %s, %v; want %d and %q", tt.path, tt.body, resp.StatusCode, text, err, tt.status, tt.want)
		}
	}
}
