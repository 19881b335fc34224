//go:build clients

package clients

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/culvert-net/culvert/internal/app/bridge"
	"github.com/culvert-net/culvert/internal/app/sandbox"
	"github.com/culvert-net/culvert/internal/openapi"
)

// ownModule is the module of OpenAI's client, and the directory that pins it.
const (
	ownModule = "github.com/openai/openai-go/v3"
	ownDir    = "openaigo"
)

// ownPatience caps the wait for a program to be ready, ownTime a run of tests.
const (
	ownPatience = 20 * time.Second
	ownTime     = 2 * time.Minute
)

// ownFiles are the files of the client's tests for the routes that exist here.
var ownFiles = []string{
	"chatcompletion_test.go", "chatcompletionmessage_test.go", "completion_test.go", "embedding_test.go", "model_test.go", "usage_test.go",
}

// ownCase is a test of the client that must pass: what it asks, and by which
// words its request is known at the model server.
type ownCase struct {
	test, path, model, words string
}

var ownCases = []ownCase{
	{"TestChatCompletionNewWithOptionalParams", "/v1/chat/completions", "gpt-6-astra", `"developer"`},
	{"TestUsage", "/v1/chat/completions", "gpt-4o", "Say this is a test"},
	{"TestCompletionNewWithOptionalParams", "/v1/completions", "gpt-3.5-turbo-instruct", "This is a test."},
	{"TestEmbeddingNewWithOptionalParams", "/v1/embeddings", "text-embedding-3-small", "The quick brown fox"},
	{"TestModelGet", "", "gpt-6-astra", ""}, // answered by the bridge itself
	{"TestModelList", "", "", ""},
}

// ownExcluded are tests of the same files that must fail, with the reason.
var ownExcluded = map[string]string{
	"TestChatCompletionGet":                           "nothing is stored: there is no route for stored chats (docs/spec/api.md section 1; fields.md: store)",
	"TestChatCompletionUpdate":                        "the same",
	"TestChatCompletionListWithOptionalParams":        "the same",
	"TestChatCompletionDelete":                        "the same",
	"TestChatCompletionMessageListWithOptionalParams": "the same",
	"TestModelDelete":                                 "models are their providers': there is no route to delete one (docs/spec/api.md section 1)",
}

// OpenAI's own tests of its Go client pass against a bridge in front of a server
// that answers by OpenAI's description, and refuses what breaks it.
func TestOwnTests(t *testing.T) {
	suite := ownBuild(t)
	ownComplete(t)
	for name, start := range map[string]func(t *testing.T, programs, upstream string) string{
		"local": ownLocal, "three hops": ownThreeHops,
	} {
		t.Run(name, func(t *testing.T) {
			d, err := openapi.Published()
			if err != nil {
				t.Fatal(err)
			}
			seen := &ownRecord{next: openapi.NewUpstream(d, ownModels()...)}
			up := httptest.NewServer(seen)
			t.Cleanup(up.Close)
			base := start(t, ownPrograms(t), up.URL)

			passed, failed, skipped := 0, 0, 0
			for _, c := range ownCases {
				switch outcome, out := ownRun(t, suite, base, c.test); outcome {
				case "PASS":
					passed++
				case "SKIP":
					skipped++
					t.Errorf("%s: it skips itself: %s", c.test, out)
				default:
					failed++
					t.Errorf("%s: %s", c.test, out)
				}
				if c.path != "" {
					ownSent(t, c, seen.find(c), name == "local")
				}
			}
			for test, why := range ownExcluded {
				if outcome, out := ownRun(t, suite, base, test); outcome != "FAIL" {
					t.Errorf("%s is excluded (%s), but its outcome is %q: %s", test, why, outcome, out)
				}
			}
			fmt.Printf("openai-go's own tests, %s: %d passed, %d failed, %d skipped; %d excluded, each of which fails as it must\n",
				name, passed, failed, skipped, len(ownExcluded))
		})
	}
}

// ownSent checks that a request arrived, with nothing but the edits of
// docs/spec/fields.md, and none in local mode.
func ownSent(t *testing.T, c ownCase, body []byte, local bool) {
	t.Helper()
	var got map[string]any
	if err := json.Unmarshal(body, &got); err != nil || got["model"] != c.model {
		t.Errorf("%s: the model server got %.300q (%v); want a request for %s", c.test, body, err, c.model)
		return
	}
	if c.test != "TestChatCompletionNewWithOptionalParams" {
		return
	}
	for _, edited := range []string{"user", "safety_identifier", "metadata"} {
		if _, there := got[edited]; there != local {
			t.Errorf("%s: %s arrived: %v; want %v", c.test, edited, there, local)
		}
	}
	if got["store"] != local || local != (got["prompt_cache_key"] == "prompt-cache-key-1234") {
		t.Errorf("%s: store is %v and prompt_cache_key %v; want them edited: %v", c.test, got["store"], got["prompt_cache_key"], !local)
	}
	for _, kept := range []string{"web_search_options", "logit_bias", "functions", "tools", "seed", "moderation", "prediction"} {
		if got[kept] == nil {
			t.Errorf("%s: %s did not arrive", c.test, kept)
		}
	}
}

// ownComplete checks that each test of the files is a case or excluded, so that
// a newer client's tests are noticed.
func ownComplete(t *testing.T) {
	t.Helper()
	list := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", ownModule)
	list.Dir = ownDir
	out, err := list.Output()
	if err != nil {
		t.Fatalf("looking for %s: %v", ownModule, err)
	}
	known := map[string]bool{}
	for _, c := range ownCases {
		known[c.test] = true
	}
	for test := range ownExcluded {
		known[test] = true
	}
	for _, name := range ownFiles {
		code, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(out)), name))
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`(?m)^func (Test\w+)\(`).FindAllSubmatch(code, -1) {
			if !known[string(m[1])] {
				t.Errorf("%s has %s, which is neither run nor excluded", name, m[1])
			}
			delete(known, string(m[1]))
		}
	}
	for test := range known {
		t.Errorf("%s is listed here, but in none of the files %v", test, ownFiles)
	}
}

// ownBuild compiles the client's own tests.
func ownBuild(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "openai.test")
	build := exec.CommandContext(t.Context(), "go", "test", "-c", "-o", path, ownModule)
	build.Dir = ownDir
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building the tests of %s: %v\n%s", ownModule, err, out)
	}
	return path
}

// ownOutcome is how a test says what became of it.
var ownOutcome = regexp.MustCompile(`(?m)^--- (PASS|FAIL|SKIP): (\w+) `)

// ownRun runs one test of the client.
func ownRun(t *testing.T, suite, base, test string) (outcome, output string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), suite, "-test.run", "^"+test+"$", "-test.v", "-test.timeout", ownTime.String())
	cmd.Env = append(os.Environ(), "TEST_API_BASE_URL="+base)
	cmd.Dir = t.TempDir()
	out, err := cmd.CombinedOutput()
	if exited, ok := errors.AsType[*exec.ExitError](err); err != nil && (!ok || !exited.Exited()) {
		t.Fatalf("%s: %v\n%s", test, err, out)
	}
	m := ownOutcome.FindSubmatch(out)
	if m == nil || string(m[2]) != test {
		return "", string(out)
	}
	return string(m[1]), string(out)
}

// ownModels are those that the client's tests name.
func ownModels() []string {
	var all []string
	for _, c := range ownCases {
		if c.model != "" && !slices.Contains(all, c.model) {
			all = append(all, c.model)
		}
	}
	return all
}

// ownRecord keeps what reaches a model server.
type ownRecord struct {
	next http.Handler

	mu  sync.Mutex
	got []ownRequest // guarded by mu
}

type ownRequest struct {
	path string
	body []byte
}

func (r *ownRecord) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return // the client is gone
	}
	r.mu.Lock()
	r.got = append(r.got, ownRequest{req.URL.Path, body})
	r.mu.Unlock()
	req.Body = io.NopCloser(bytes.NewReader(body))
	r.next.ServeHTTP(w, req)
}

// find is the body of a case's request; nil if none arrived.
func (r *ownRecord) find(c ownCase) []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, q := range r.got {
		if q.path == c.path && bytes.Contains(q.body, []byte(c.words)) {
			return q.body
		}
	}
	return nil
}

// ownPrograms is the directory of the programs under test, which are built
// unless CULVERT_BIN has them.
func ownPrograms(t *testing.T) string {
	t.Helper()
	if dir := os.Getenv("CULVERT_BIN"); dir != "" {
		return dir
	}
	dir := t.TempDir()
	build := exec.CommandContext(t.Context(), "go", "build", "-buildvcs=false", "-o", dir, "../../../cmd/...")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building the programs: %v\n%s", err, out)
	}
	return dir
}

// ownLocal starts a bridge without a world, and returns its base URL.
func ownLocal(t *testing.T, programs, upstream string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "b")
	name := filepath.Join(programs, "bridge")
	ended := ownStart(t, name, "serve", "--data", dir, "--upstream", upstream, "--listen", "127.0.0.1:0", "--status-listen", "127.0.0.1:0")
	var s bridge.Status
	ownWait(t, ended, "the bridge is ready", func() error {
		out, err := exec.CommandContext(t.Context(), name, "status", "--json", "--data", dir).Output()
		if err != nil {
			return err
		}
		s = bridge.Status{}
		if err := json.Unmarshal(out, &s); err != nil {
			return err
		}
		if !s.Ready {
			return errors.New(strings.Join(s.Waiting, "; "))
		}
		return nil
	})
	return s.BaseURLs[0]
}

// ownThreeHops starts a world, each node of which is a process, and returns the
// bridge's base URL.
func ownThreeHops(t *testing.T, programs, upstream string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ready.json")
	ended := ownStart(t, filepath.Join(programs, "sandbox"), "--backend", upstream, "--chain=false", "--listen", "127.0.0.1:0", "--ready-file", path)
	var r sandbox.Ready
	ownWait(t, ended, "the sandbox is ready", func() error {
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return json.Unmarshal(text, &r)
	})
	return r.BaseURL
}

// ownStart runs a program until the test ends; the channel is closed when it
// has ended.
func ownStart(t *testing.T, name string, args ...string) <-chan struct{} {
	t.Helper()
	var out bytes.Buffer // to be read when the program has ended
	cmd := exec.Command(name, args...)
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait() // what it has to say is in its output
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt) // it may be gone already
		select {
		case <-ended:
		case <-time.After(ownPatience):
			t.Errorf("%s did not stop", name)
			_ = cmd.Process.Kill()
			<-ended
		}
		if t.Failed() {
			t.Logf("%s said:\n%s", name, out.String())
		}
	})
	return ended
}

// ownWait waits until check returns nil.
func ownWait(t *testing.T, ended <-chan struct{}, what string, check func() error) {
	t.Helper()
	limit := time.After(ownPatience)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := check()
		if err == nil {
			return
		}
		select {
		case <-tick.C:
		case <-ended:
			t.Fatalf("it ended before %s: %v", what, err)
		case <-limit:
			t.Fatalf("not within %v: %s: %v", ownPatience, what, err)
		}
	}
}
