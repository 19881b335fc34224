package bridge

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/culvert-net/culvert/api/backend/openai"
	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/doctor"
	"github.com/culvert-net/culvert/internal/app/node"
)

// What the doctor finds at the addresses that apps talk to.

func (p *patient) ports(ctx context.Context) []doctor.Finding {
	if p.Running {
		return doctor.One(doctor.Fine("the API is at %s", strings.Join(p.status.BaseURLs, " and ")))
	}
	if p.Hangs {
		return doctor.One(doctor.Skip("held by the bridge that does not answer"))
	}
	if p.Misconfigured != nil {
		return doctor.One(doctor.Skip("the configuration does not say which"))
	}
	serve := p.Lines.Line("serve")
	var out []doctor.Finding
	for _, addr := range p.o.Config.API.Listen {
		f := doctor.Port(ctx, "--listen", addr, serve)
		if addr == listen6 && f.Level != doctor.OK && doctor.NoIPv6() {
			continue // as serve leaves it out
		}
		out = append(out, f)
	}
	for _, l := range []struct{ flag, addr string }{{"--status-listen", p.o.Config.Status.Listen}, {"--debug", p.o.Config.Debug.Listen}} {
		if l.addr != "" {
			out = append(out, doctor.Port(ctx, l.flag, l.addr, serve))
		}
	}
	return out
}

// upstream asks the server of local mode.
func (p *patient) upstream(ctx context.Context) []doctor.Finding {
	cfg := p.o.Config.Local
	if p.Running && p.status.Mode == ModeLocal {
		cfg.Upstream = p.status.Upstream // it may have been a flag
	}
	if !p.local() || cfg.Upstream == "" {
		return nil
	}
	url := doctor.ShowURL(cfg.Upstream)
	client, err := openai.New(openai.Config{BaseURL: cfg.Upstream, Key: cfg.Key.Reveal()})
	if err != nil {
		return doctor.One(doctor.Bad("Give its address: "+p.Lines.Line("serve", "--upstream", "http://127.0.0.1:11434"), "%s: %v", url, err))
	}
	defer client.Close()
	models, err := client.Models(ctx)
	if err != nil {
		return doctor.One(doctor.Bad("Start the server, and see what it says: curl "+app.Shell(url)+". A key goes into [local] of config.toml.",
			"%s: %s", url, node.WhyNoModels(err)))
	}
	kind, err := openai.Detect(ctx, cfg.Upstream)
	if err != nil {
		kind = openai.Other // it says nothing more without a key
	}
	if len(models) == 0 {
		return doctor.One(doctor.Warn("Load a model into it, for example: ollama pull llama3.2", "%s (%s) lists no models", url, kind))
	}
	return doctor.One(doctor.Fine("%s (%s) lists %s", url, kind, app.Count(len(models), "model")))
}

// api asks the running bridge what an app asks first.
func (p *patient) api(ctx context.Context) []doctor.Finding {
	if !p.Running || len(p.status.BaseURLs) == 0 {
		return doctor.One(doctor.Skip("the bridge does not run, so it cannot be asked"))
	}
	url := p.status.BaseURLs[0] + "/models"
	a := call(ctx, http.MethodGet, url, nil)
	if f, bad := p.refusal(a, "GET "+url); bad {
		return doctor.One(f)
	}
	var list struct {
		Data []json.RawMessage `json:"data"`
	}
	if err := json.Unmarshal(a.body, &list); err != nil {
		return doctor.One(doctor.Bad("Restart it: "+p.Lines.Line("serve"), "GET %s: the answer is not a list of models", url))
	}
	if len(list.Data) == 0 {
		return doctor.One(doctor.Warn("See what was found above; nobody serves a model at present.", "GET %s: 200 in %s, no models", url, doctor.Spent(a.total)))
	}
	return doctor.One(doctor.Fine("GET %s: 200 in %s, %s", url, doctor.Spent(a.total), app.Count(len(list.Data), "model")))
}

// request sends a chat, if that was asked for.
func (p *patient) request(ctx context.Context) []doctor.Finding {
	switch {
	case p.ask == "":
		return nil
	case !p.Running || len(p.status.BaseURLs) == 0:
		return doctor.One(doctor.Bad("Start it: "+p.Lines.Line("serve"), "--ask needs a running bridge"))
	}
	body, err := json.Marshal(map[string]any{
		"model": p.ask, "max_tokens": 1, "stream": true,
		"messages": []map[string]string{{"role": "user", "content": "Say ok."}},
	})
	if err != nil {
		return doctor.One(doctor.Bad("Name a model that the API lists.", "--ask: %v", err))
	}
	a := call(ctx, http.MethodPost, p.status.BaseURLs[0]+"/chat/completions", body)
	if f, bad := p.refusal(a, "a chat with "+p.ask); bad {
		return doctor.One(f)
	}
	if !bytes.Contains(a.body, []byte("data: [DONE]")) {
		return doctor.One(doctor.Bad("Ask again; if it stays so, its provider breaks off. See "+p.Lines.Line("status"), "a chat with %s: 200, but the answer was cut", p.ask))
	}
	return doctor.One(doctor.Fine("a chat with %s: 200, first byte after %s, done after %s", p.ask, doctor.Spent(a.first), doctor.Spent(a.total)))
}

// refusal is the finding about an answer that is none.
func (p *patient) refusal(a answer, what string) (f doctor.Finding, bad bool) {
	see := "See what was found above, and: " + p.Lines.Line("status")
	switch {
	case a.err != nil:
		return doctor.Bad("Restart it: "+p.Lines.Line("serve"), "%s: no answer after %s (%v)", what, doctor.Spent(a.total), a.err), true
	case a.status == http.StatusOK:
		return f, false
	case a.status == http.StatusUnauthorized:
		return doctor.Warn("Nothing, if your apps have their keys: the doctor has none.", "%s: status 401%s; the API wants a key", what, a.code()), true
	case a.status == http.StatusNotFound:
		return doctor.Bad("Use a name that this lists: curl "+p.status.BaseURLs[0]+"/models", "%s: status 404%s", what, a.code()), true
	}
	return doctor.Bad(see, "%s: status %d%s after %s", what, a.status, a.code(), doctor.Spent(a.total)), true
}

// answer is what came of a call.
type answer struct {
	status       int
	body         []byte
	first, total time.Duration // until the first byte of the body, and its end
	err          error
}

// code is the error's code, which is from a list of ours and holds nothing that
// a provider said.
func (a *answer) code() string {
	var doc struct {
		Error struct {
			Code string `json:"code"`
		} `json:"error"`
	}
	if json.Unmarshal(a.body, &doc) != nil || doc.Error.Code == "" ||
		strings.Trim(doc.Error.Code, "abcdefghijklmnopqrstuvwxyz0123456789_") != "" {
		return ""
	}
	return " (" + doc.Error.Code + ")"
}

// call makes one request to the bridge, past any proxy.
func call(ctx context.Context, method, url string, body []byte) (a answer) {
	start := time.Now()
	defer func() { a.total = time.Since(start) }()
	req, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		a.err = err
		return a
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	transport := &http.Transport{DisableKeepAlives: true}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		a.err = err
		return a
	}
	defer resp.Body.Close()
	a.status = resp.StatusCode
	var b bytes.Buffer
	if _, err := io.CopyN(&b, resp.Body, 1); err == nil {
		a.first = time.Since(start)
	}
	_, a.err = io.Copy(&b, io.LimitReader(resp.Body, maxAnswer))
	if a.err != nil {
		a.err = fmt.Errorf("the answer broke off: %w", a.err)
	}
	a.body = b.Bytes()
	return a
}
