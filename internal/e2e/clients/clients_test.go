//go:build clients

package clients

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// longest is how long one client may take for all its cases.
const longest = 5 * time.Minute

// client is a library, and the program here that uses it.
type client struct {
	name    string   // of the library
	command string   // in js or gosdk/cmd
	modules []string // whose versions count
}

// script says that the library is one for Node.js.
func (c *client) script() bool { return strings.HasSuffix(c.command, ".mjs") }

// all are the clients, in the order of the matrix.
var all = []*client{
	{"openai (npm)", "openai.mjs", []string{"openai"}},
	{"LangChain.js", "langchain.mjs", []string{"@langchain/openai"}},
	{"AI SDK", "ai.mjs", []string{"ai", "@ai-sdk/openai-compatible"}},
	{"openai-go", "openaigo", []string{"github.com/openai/openai-go/v3"}},
	{"go-openai", "goopenai", []string{"github.com/sashabaranov/go-openai"}},
	{"LangChainGo", "langchaingo", []string{"github.com/tmc/langchaingo"}},
}

// mode is a way to the upstream.
type mode struct {
	name  string
	start func(t *testing.T, upstream string) *target
}

var modes = []mode{{"local", local}, {"three hops", threeHops}}

// Every client does everything it can, with and without circuits, and the model
// server sees of it what it should.
func TestClients(t *testing.T) {
	for _, c := range all {
		if c.script() {
			if _, err := os.Stat(filepath.Join("js", "node_modules")); err != nil {
				t.Fatal("the clients for Node.js are not installed: run `npm ci` in internal/e2e/clients/js, or `make clients`")
			}
		}
	}
	results = newMatrix()
	for _, m := range modes {
		t.Run(m.name, func(t *testing.T) {
			up := newServer(t)
			to := m.start(t, up.URL)
			up.to = to
			for _, c := range all {
				t.Run(c.name, func(t *testing.T) {
					t.Parallel() // each is silent for most of its time
					said := c.run(t, up, to)
					for _, tt := range cases {
						o, mentioned := said[tt.name]
						delete(said, tt.name)
						ok := t.Run(tt.name, func(t *testing.T) {
							switch {
							case !mentioned:
								t.Fatal("the client says nothing of this case")
							case o.Result == "none" && o.Detail != "":
								t.Skip(o.Detail)
							case o.Result != "ok" || o.Nonce == "":
								t.Fatal(o.inform())
							}
							tt.check(t, up.visits(o.Nonce), o)
						})
						results.set(m, c, tt.name, o, ok)
					}
					for name := range said {
						t.Errorf("the client has a case %q, which is none", name)
					}
				})
			}
		})
	}
	results.keep(t)
}

// run goes through all cases of a client, and returns what it says of each.
func (c *client) run(t *testing.T, up *server, to *target) map[string]outcome {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), longest)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(goSDKs, c.command))
	if c.script() {
		cmd = exec.CommandContext(ctx, "node", c.command)
		cmd.Dir = "js"
	}
	cmd.Env = append(os.Environ(),
		"CULVERT_BASE_URL="+to.base, "CULVERT_MODEL="+model, "CULVERT_CONTROL="+up.control.URL,
		"CULVERT_KEY="+to.good, "CULVERT_KEY_NARROW="+to.narrow, "CULVERT_KEY_SPENT="+to.spent,
		"NO_PROXY=*", "NODE_NO_WARNINGS=1")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	said := make(map[string]outcome)
	for line := range bytes.Lines(out) {
		var o outcome
		if bad := json.Unmarshal(line, &o); bad != nil || o.Case == "" {
			t.Errorf("the client printed %q, which is no outcome", line)
			continue
		}
		if _, twice := said[o.Case]; twice {
			t.Errorf("the client has the case %q twice", o.Case)
		}
		said[o.Case] = o
	}
	if err != nil {
		t.Errorf("the client ended with %v: %s", err, stderr.String())
	}
	return said
}

// version is what the lock file of a library says that was installed.
func (c *client) version() (string, error) {
	var found []string
	for _, m := range c.modules {
		v, err := locked(m, c.script())
		if err != nil {
			return "", err
		}
		found = append(found, m+" "+v)
	}
	return strings.Join(found, ", "), nil
}

// locked is the version of a module in js/package-lock.json or gosdk/go.mod.
func locked(module string, script bool) (string, error) {
	if script {
		text, err := os.ReadFile(filepath.Join("js", "package-lock.json"))
		if err != nil {
			return "", err
		}
		var lock struct {
			Packages map[string]struct {
				Version string `json:"version"`
			} `json:"packages"`
		}
		if err := json.Unmarshal(text, &lock); err != nil {
			return "", fmt.Errorf("package-lock.json: %w", err)
		}
		if v := lock.Packages["node_modules/"+module].Version; v != "" {
			return v, nil
		}
		return "", fmt.Errorf("package-lock.json has no %s", module)
	}
	text, err := os.ReadFile(filepath.Join("gosdk", "go.mod"))
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) == 2 && f[0] == module {
			return f[1], nil
		}
	}
	return "", fmt.Errorf("gosdk/go.mod requires no %s", module)
}
