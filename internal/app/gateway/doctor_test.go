package gateway

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/culvert-net/culvert/api/backend/backendtest"
	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/doctor"
	"github.com/culvert-net/culvert/internal/app/node"
	"github.com/culvert-net/culvert/mesh"
	"github.com/culvert-net/culvert/mesh/world"
)

// has fails unless the first finding is of that level and says want.
func has(t *testing.T, found []doctor.Finding, level doctor.Level, want string) {
	t.Helper()
	if len(found) == 0 {
		t.Errorf("nothing found, want %s %q", level, want)
		return
	}
	f := found[0]
	if text := f.Found + " -> " + f.Do; f.Level != level || !strings.Contains(text, want) {
		t.Errorf("found %s %q, want %s with %q", f.Level, text, level, want)
	}
	if (level == doctor.Warning || level == doctor.Problem) && f.Do == "" {
		t.Errorf("%s %q does not say what to do", f.Level, f.Found)
	}
}

// Answers of model servers.
const (
	listed     = `{"object":"list","data":[{"id":"a-embed","object":"model"},{"id":"m","object":"model"}]}`
	withUsage  = `data: {"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":1}}` + "\n\n"
	plainChunk = `data: {"choices":[{"index":0,"delta":{"content":"ok"}}],"usage":null}` + "\n\n"
	ended      = "data: [DONE]\n\n"
	embedding  = `{"object":"list","data":[{"embedding":[0.5,0.25]}]}`
	refusal    = `{"error":{"message":"Incorrect API key provided: canary-key"}}`
)

// A model server, capability by capability: each that is missing is found, and
// nothing the server says is repeated.
func TestDoctorBackend(t *testing.T) {
	answer, status := backendtest.Answer, backendtest.Status
	good := map[string]backendtest.Behaviour{
		"/v1/models":           answer(listed),
		"/v1/embeddings":       answer(embedding),
		"/v1/completions":      answer(backendtest.Completion),
		"/v1/chat/completions": answer(backendtest.Completion),
		"stream":               backendtest.Stream(0, plainChunk, withUsage, ended),
	}
	ours := []string{"model server", "embeddings", "completions", "chat", "streamed chat"}
	missing := status(http.StatusNotFound, "application/json", `{}`)
	for _, tt := range []struct {
		name   string
		change map[string]backendtest.Behaviour
		check  string
		level  doctor.Level
		want   string
	}{
		{"all is well", nil, "streamed chat", doctor.OK, "m, first byte after"},
		{"what server it is", nil, "model server", doctor.OK, "(openai) lists 2 models"},
		{"embeddings by the model for it", nil, "embeddings", doctor.OK, "a-embed answers in"},
		{"wants a key", map[string]backendtest.Behaviour{"/v1/models": status(401, "application/json", refusal)}, "model server", doctor.Problem, "API key"},
		{"no model", map[string]backendtest.Behaviour{"/v1/models": answer(`{"object":"list","data":[]}`)}, "model server", doctor.Problem, "lists no models"},
		{"no model server", map[string]backendtest.Behaviour{"/v1/models": missing}, "model server", doctor.Problem, "does not answer like a model server"},
		{"no embeddings", map[string]backendtest.Behaviour{"/v1/embeddings": missing}, "embeddings", doctor.OK, "not served for a-embed (status 404)"},
		{"empty embeddings", map[string]backendtest.Behaviour{"/v1/embeddings": answer(`{"data":[]}`)}, "embeddings", doctor.OK, "another form"},
		{"no completions", map[string]backendtest.Behaviour{"/v1/completions": missing}, "completions", doctor.OK, "not served for m (status 404)"},
		{"embeds only", map[string]backendtest.Behaviour{"/v1/chat/completions": missing}, "chat", doctor.Warning, "serves other requests"},
		{"nothing but a list", map[string]backendtest.Behaviour{
			"/v1/chat/completions": status(500, "application/json", refusal), "/v1/embeddings": missing, "/v1/completions": missing,
		}, "chat", doctor.Problem, "m does not answer a chat (status 500)"},
		{"the key is for lists", map[string]backendtest.Behaviour{
			"/v1/chat/completions": status(401, "application/json", refusal), "/v1/embeddings": missing, "/v1/completions": missing,
		}, "chat", doctor.Problem, "another API key"},
		{"no streams", map[string]backendtest.Behaviour{"stream": answer(backendtest.Completion)}, "streamed chat", doctor.Problem, "in one piece"},
		{"streams refused", map[string]backendtest.Behaviour{"stream": status(400, "application/json", refusal)}, "streamed chat", doctor.Problem, "does not stream (status 400)"},
		{"streams cut", map[string]backendtest.Behaviour{"stream": backendtest.CutAfter(plainChunk)}, "streamed chat", doctor.Problem, "does not stream (the answer broke off)"},
		{"streams without an end", map[string]backendtest.Behaviour{"stream": backendtest.Stream(0, plainChunk)}, "streamed chat", doctor.Problem, "breaks its streams off: 1 event"},
		{"no usage", map[string]backendtest.Behaviour{"stream": backendtest.Stream(0, plainChunk, ended)}, "streamed chat", doctor.Warning, "how many tokens"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			u := backendtest.NewUpstream(t)
			u.Set(func(w http.ResponseWriter, r *http.Request, c *backendtest.Call) {
				path := r.URL.Path
				if bytes.Contains(c.Body, []byte(`"stream":true`)) {
					path = "stream"
				}
				b := tt.change[path]
				if b == nil {
					b = good[path]
				}
				if b == nil {
					b = missing // a question what server this is
				}
				b(w, r, c)
			})
			p := providerPatient(u.URL)
			defer p.close()
			seen := false
			for _, c := range p.checks() {
				if !slices.Contains(ours, c.Name) {
					continue
				}
				found := c.Run(t.Context())
				for _, f := range found {
					if text := f.Found + f.Do; strings.Contains(text, "canary") || strings.Contains(text, "Incorrect") {
						t.Errorf("%s repeats what the server said: %+v", c.Name, f)
					}
				}
				if c.Name == tt.check {
					seen = true
					has(t, found, tt.level, tt.want)
				}
			}
			if !seen {
				t.Errorf("there is no check %q", tt.check)
			}
			for _, c := range u.Calls() {
				if c.Method == http.MethodPost && c.Path != "/v1/embeddings" && !bytes.Contains(c.Body, []byte(`"max_tokens":1`)) {
					t.Errorf("%s was asked for more than one token: %s", c.Path, c.Body)
				}
			}
		})
	}
}

func providerPatient(url string) *patient {
	cfg := Defaults()
	cfg.Node.Roles = []string{RoleProvider}
	cfg.Provider.URL = url
	return &patient{cfg: cfg}
}

func TestDoctorAsksNothing(t *testing.T) {
	u := backendtest.NewUpstream(t)
	u.Set(backendtest.ByPath(backendtest.Answer(listed), backendtest.Status(404, "application/json", `{}`)))
	p := providerPatient(u.URL)
	p.silent = true
	defer p.close()
	has(t, p.modelServer(t.Context())[1:], doctor.Skipped, "--no-ask")
	for _, run := range []func(context.Context) []doctor.Finding{p.embeddings, p.completions, p.chat, p.stream} {
		if found := run(t.Context()); found != nil {
			t.Errorf("found %+v without asking", found)
		}
	}
	for _, c := range u.Calls() {
		if c.Method != http.MethodGet {
			t.Errorf("--no-ask sent %s %s", c.Method, c.Path)
		}
	}
	if len(u.Calls()) == 0 {
		t.Error("the server was not looked at")
	}
}

func TestDoctorDeadBackend(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	p := providerPatient("http://" + l.Addr().String())
	defer p.close()
	has(t, p.modelServer(t.Context()), doctor.Problem, "cannot be reached")
	p.model, p.models = "", nil
	if found := p.chat(t.Context()); found != nil {
		t.Errorf("a dead server was asked: %+v", found)
	}
}

// contents are the files of a directory with their bytes and modes.
func contents(t *testing.T, dir string) (all []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		info, err := d.Info()
		all = append(all, fmt.Sprintf("%s %v %v %x", path, info.Mode(), info.ModTime(), text))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// doctor runs the command and returns its output.
func runDoctor(t *testing.T, args ...string) (string, error) {
	t.Helper()
	cmd := Command()
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	var out bytes.Buffer
	cmd.SetOut(&out)
	cmd.SetErr(&out)
	cmd.SetArgs(append([]string{"doctor"}, args...))
	err := cmd.ExecuteContext(t.Context())
	return out.String(), err
}

// A gateway that is set up and does not run: no problem, no change of any file,
// and neither keys nor the user part of a URL in what is said.
func TestDoctorChangesNothing(t *testing.T) {
	u := backendtest.NewUpstream(t)
	u.Set(backendtest.ByPath(backendtest.Answer(listed), backendtest.Answer(backendtest.Completion)))
	dir := filepath.Join(t.TempDir(), "d")
	port, err := node.FreePort(0)
	if err != nil {
		t.Fatal(err)
	}
	// It is the only seed, so it has nobody to ask.
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	key, err := node.EnsureKey(dir)
	if err != nil {
		t.Fatal(err)
	}
	self := fmt.Sprintf("/ip4/127.0.0.1/tcp/%d/p2p/%s", port, mesh.PeerID([32]byte(key.Public().(ed25519.PublicKey))))
	if _, err := Init(t.Context(), InitOptions{
		Data: dir, World: worldFile(t, world.World{Phrase: "home", Local: true, Seeds: []string{self}}), Roles: []string{RoleProvider}, Backend: u.URL,
		Listen: []string{fmt.Sprintf("/ip4/127.0.0.1/tcp/%d", port)},
	}); err != nil {
		t.Fatal(err)
	}
	t.Setenv("CULVERT_GATEWAY_PROVIDER_KEY", "canary-key")
	before := contents(t, dir)
	out, err := runDoctor(t, "--data", dir, "--no-ask", "--status-listen", "127.0.0.1:0")
	if err != nil || !strings.Contains(out, "No problem found") {
		t.Errorf("doctor = %v\n%s", err, out)
	}
	if strings.Contains(out, "canary") {
		t.Errorf("doctor shows a key:\n%s", out)
	}
	if after := contents(t, dir); !slices.Equal(before, after) {
		t.Errorf("files before %q\nand after %q", before, after)
	}
	// What serve refuses is named; the rest is looked at nevertheless.
	if err := os.WriteFile(filepath.Join(dir, app.ConfigFile), []byte("[provider]\nurl = \"http://me:canary-pass@127.0.0.1:1\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err = runDoctor(t, "--data", dir)
	if app.Code(err) != app.ExitFailed || !strings.Contains(out, "problem  configuration") || !strings.Contains(out, "ok       identity") || strings.Contains(out, "canary") {
		t.Errorf("doctor of a wrong configuration = %v\n%s", err, out)
	}
	if _, err := runDoctor(t, "--data", dir, "--status-listen", "0.0.0.0:1"); app.Code(err) != app.ExitFailed {
		t.Errorf("a wrong flag beside a wrong file = %v; the file is the finding", err)
	}
	if err := os.WriteFile(filepath.Join(dir, app.ConfigFile), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := runDoctor(t, "--data", dir, "--status-listen", "0.0.0.0:1"); app.Code(err) != app.ExitRefused {
		t.Errorf("a refused flag = %v, want exit code 4", err)
	}
}

// The only seed of a world has nobody to ask, and nobody failed to answer.
func TestDoctorOfOnlySeed(t *testing.T) {
	key := [32]byte{1}
	w, err := world.New(world.World{Phrase: "x", Rules: world.DefaultRules(), Seeds: []string{"/ip4/8.8.8.8/tcp/4811/p2p/" + mesh.PeerID(key)}})
	if err != nil {
		t.Fatal(err)
	}
	p := &patient{Place: doctor.Place{Patient: doctor.Patient{World: w}, Key: key}}
	if got := p.Clock(); len(got) != 1 || !strings.Contains(got[0].Found, "only seed") {
		t.Errorf("clock of the only seed: %+v", got)
	}
	p.Key = [32]byte{2}
	if got := p.Clock(); len(got) != 1 || !strings.Contains(got[0].Found, "no seed answered") {
		t.Errorf("clock where no seed answers: %+v", got)
	}
}
