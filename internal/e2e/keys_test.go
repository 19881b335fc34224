//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/culvert-net/culvert/api/backend/backendtest"
	"github.com/culvert-net/culvert/api/keys"
	"github.com/culvert-net/culvert/internal/app/bridge"
	"github.com/culvert-net/culvert/internal/app/keystore"
	"github.com/culvert-net/culvert/internal/kv/bolt"
)

// alone is a bridge in local mode, which can be stopped and started again.
type alone struct {
	t    *testing.T
	dir  string
	args []string
	cmd  *exec.Cmd
	out  *output
	base string // URL, with /v1

	upstream string // URL of the model server
}

func startAlone(t *testing.T, u *server) *alone {
	t.Helper()
	l := &alone{t: t, dir: filepath.Join(t.TempDir(), "b"), upstream: u.URL}
	l.args = []string{"serve", "--data", l.dir, "--upstream", u.URL, "--listen", "127.0.0.1:0", "--status-listen", ""}
	l.start()
	t.Cleanup(func() { l.stop(syscall.SIGTERM) })
	return l
}

func (l *alone) start() {
	l.t.Helper()
	l.out = &output{}
	l.cmd = exec.Command(program("bridge"), l.args...)
	l.cmd.Stdout, l.cmd.Stderr = l.out, l.out
	if err := l.cmd.Start(); err != nil {
		l.t.Fatal(err)
	}
	eventually(l.t, patience, "the bridge answers", func() error {
		out, err := exec.Command(program("bridge"), "status", "--json", "--data", l.dir).Output()
		if err != nil {
			return err
		}
		var s bridge.Status
		if err := json.Unmarshal(out, &s); err != nil {
			return err
		}
		l.base = s.BaseURLs[0]
		return nil
	})
}

// stop ends the bridge by a signal, and waits for it.
func (l *alone) stop(s os.Signal) {
	_ = l.cmd.Process.Signal(s) // it may be gone already
	_ = l.cmd.Wait()
	if l.t.Failed() {
		l.t.Logf("bridge said:\n%s", l.out)
	}
}

// command runs bridge keys, and returns what it prints to stdout.
func (l *alone) command(args ...string) string {
	l.t.Helper()
	cmd := exec.Command(program("bridge"), append([]string{"keys", "--data", l.dir}, args...)...)
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		l.t.Fatalf("bridge keys %v: %v: %s", args, err, said.String())
	}
	return strings.TrimSpace(string(out))
}

func (l *alone) list() (all []keys.Listed) {
	l.t.Helper()
	if err := json.Unmarshal([]byte(l.command("list", "--json")), &all); err != nil {
		l.t.Fatal(err)
	}
	return all
}

// stored is what the first key has used this month, in a copy of the file: the
// state that a process which is killed now leaves.
func (l *alone) stored() (used keys.Used, err error) {
	text, err := os.ReadFile(filepath.Join(l.dir, keystore.File))
	if err != nil {
		return used, err
	}
	path := filepath.Join(l.t.TempDir(), keystore.File)
	if err := os.WriteFile(path, text, 0o600); err != nil {
		return used, err
	}
	file, err := bolt.Open(path)
	if err != nil {
		return used, err // copied while it was written
	}
	defer file.Close()
	store, err := keystore.New(context.Background(), file)
	if err != nil {
		return used, err
	}
	_, all, err := store.Load(context.Background())
	for _, u := range all {
		used = u[len(u)-1]
	}
	return used, err
}

// ask sends a chat with a key.
func (l *alone) ask(key string) reply {
	l.t.Helper()
	req, err := http.NewRequest(http.MethodPost, l.base+"/chat/completions", strings.NewReader(chatBody(false)))
	if err != nil {
		l.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+key)
	resp, err := measured(l.t, l.upstream).Do(req)
	if err != nil {
		return reply{err: err}
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return reply{status: resp.StatusCode, header: resp.Header, body: text, err: err}
}

func (l *alone) refused(key string, status int, code, want string) reply {
	l.t.Helper()
	r := l.ask(key)
	if message, _, got := r.failure(l.t); r.status != status || got != code || !strings.Contains(message, want) {
		l.t.Errorf("answer = %d %s %q, want %d %s %q", r.status, got, message, status, code, want)
	}
	return r
}

// A key from its making to its end, on a bridge that runs, and is killed.
func TestKeys(t *testing.T) {
	t.Parallel()
	u := upstream(t, backendtest.Answer(`{"id":"x","object":"chat.completion","choices":[],"usage":{"prompt_tokens":6,"completion_tokens":4,"total_tokens":10}}`))
	l := startAlone(t, u)
	l.ask("anything").completed(t) // without keys, from the same user

	key := l.command("add", "laptop", "--models", "m*", "--requests-per-month", "4", "--tokens-per-month", "1000")
	if !strings.HasPrefix(key, keys.Prefix) || strings.ContainsAny(key, " \n") {
		t.Fatalf("add printed %q, want the key alone", key)
	}
	l.refused("anything", 401, "invalid_api_key", "bridge keys")
	r := l.ask(key)
	r.completed(t)
	if got := r.header.Get("x-ratelimit-limit-requests") + " " + r.header.Get("x-ratelimit-remaining-requests"); got != "4 3" {
		t.Errorf("headers say %q of the limit, want 4 3", got)
	}
	l.ask(key).completed(t)

	// Killed once what was counted is on the disk, it still knows.
	eventually(t, patience, "both requests are on the disk", func() error {
		if used, err := l.stored(); err != nil || used.Requests != 2 || used.Tokens != 20 {
			return fmt.Errorf("there are %+v, %v", used, err)
		}
		return nil
	})
	l.stop(syscall.SIGKILL)
	if used := l.list()[0].Used["month"]; used != (keys.Count{Requests: 2, Tokens: 20}) {
		t.Errorf("used after kill -9 = %+v, want 2 requests", used)
	}
	l.start()
	l.ask(key).completed(t)
	// Stopped in order, it knows everything.
	l.stop(syscall.SIGTERM)
	l.start()
	l.ask(key).completed(t)
	r = l.refused(key, 429, "rate_limit_exceeded", `key "laptop" has used its 4 requests per month`)
	if r.header.Get("Retry-After") == "" || r.header.Get("x-ratelimit-remaining-requests") != "0" || r.header.Get("x-ratelimit-reset-requests") == "" ||
		r.header.Get("x-ratelimit-remaining-tokens") != "960" {
		t.Errorf("headers of 429 = %v", r.header)
	}

	other := l.command("add", "other")
	l.ask(other).completed(t)
	l.command("revoke", "other")
	l.refused(other, 401, "invalid_api_key", `"other" was revoked`)
	l.command("revoke", l.list()[0].ID)
	l.refused(key, 401, "invalid_api_key", "revoked")
	l.refused("anything", 401, "invalid_api_key", "not a key") // the door stays shut
	if out, code := call(t, "bridge", "keys", "list", "--data", l.dir); code != 0 || strings.Count(out, "revoked") != 2 || !strings.Contains(out, "4 requests/month") {
		t.Errorf("keys list: exit code %d, %s", code, out)
	}
	if out, _ := call(t, "bridge", "status", "--data", l.dir); !strings.Contains(out, "0 good, 2 ended") {
		t.Errorf("status: %s", out)
	}
	eventually(t, patience, "all since the last start is counted", func() error {
		page := pageIn(t, l.dir)
		m := figuresOf(t, "bridge", page)
		for _, want := range []struct {
			n      float64
			family string
			labels []string
		}{
			{2, "culvert_requests_total", []string{"status", "200"}},
			{1, "culvert_requests_total", []string{"status", "429"}},
			{3, "culvert_requests_total", []string{"status", "401"}},
			{1, "culvert_keys_limited_total", []string{"kind", "requests"}},
			{0, "culvert_keys_limited_total", []string{"kind", "tokens"}},
			{0, "culvert_keys_limited_total", []string{"kind", "money"}},
			{0, "culvert_keys", []string{"state", "good"}},
			{2, "culvert_keys", []string{"state", "ended"}},
		} {
			if n := m.sum(want.family, want.labels...); n != want.n {
				return fmt.Errorf("%s of %v is %v, want %v", want.family, want.labels, n, want.n)
			}
		}
		if strings.Contains(page, "laptop") {
			t.Error("a key's name is shown")
		}
		return nil
	})
	// No key is anywhere it could be copied from.
	l.stop(syscall.SIGTERM)
	text, err := os.ReadFile(filepath.Join(l.dir, "keys.db"))
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range []string{key, other} {
		if strings.Contains(string(text), k) || strings.Contains(l.out.String(), k) {
			t.Error("a key is in the file or the log")
		}
	}
}

// The commands without a bridge, and what is refused.
func TestKeysCommands(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "b")
	if out, code := call(t, "bridge", "keys", "list", "--data", dir); code != 0 || !strings.Contains(out, "no keys") {
		t.Errorf("list: exit code %d, %s", code, out)
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("list made the data directory: %v", err)
	}
	public := []string{"serve", "--data", dir, "--upstream", "http://127.0.0.1:1", "--status-listen", "", "--listen", "0.0.0.0:0"}
	if out, code := call(t, "bridge", public...); code != 4 || !strings.Contains(out, " keys add NAME --data "+dir) {
		t.Errorf("serving others without keys: exit code %d, %s; want 4 and what to do", code, out)
	}
	for _, tt := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"add", "a", "--expires", "30d"}, 0, keys.Prefix},
		{[]string{"add", "a"}, 1, "of this name already"},
		{[]string{"add", "a b"}, 2, "letters, digits"},
		{[]string{"add", "b", "--models", "a*b"}, 2, "at the end only"},
		{[]string{"add", "b", "--requests-per-day", "-1"}, 2, "per day"},
		{[]string{"add", "b", "--money-per-day", "0.5"}, 2, "wei"},
		{[]string{"add", "b", "--money-per-day", "100000000000000000000000000000000"}, 2, "wei"},
		{[]string{"add", "spender", "--money-per-day", "1 eth", "--money-per-month", "79228162514264337593543950335"}, 0, keys.Prefix},
		{[]string{"list"}, 0, "1000000000000000000 wei/day, 79228162514264337593543950335 wei/month"},
		{[]string{"list", "--json"}, 0, `"per_day": "1000000000000000000"`},
		{[]string{"add", "b", "--isolation", "none"}, 2, "isolation"},
		{[]string{"add", "b", "--expires", "2001-01-01"}, 2, "not in the future"},
		{[]string{"add", "b", "--expires", "soon"}, 2, "30d"},
		{[]string{"add"}, 2, "NAME is missing"},
		{[]string{"revoke", "nobody"}, 1, "bridge keys list"},
		{[]string{"revoke", "a"}, 0, "Revoked a"},
		{[]string{"revoke", "a"}, 1, "revoked already"},
		{[]string{"add", "a"}, 0, keys.Prefix},
	} {
		args := append([]string{"keys", "--data", dir}, tt.args...)
		if out, code := call(t, "bridge", args...); code != tt.code || !strings.Contains(out, tt.want) {
			t.Errorf("%v: exit code %d, output %q; want %d and %q", tt.args, code, out, tt.code, tt.want)
		}
	}
	// With a key, others may be served.
	l := &alone{t: t, dir: dir, args: public}
	l.start()
	l.stop(syscall.SIGTERM)
	if !strings.Contains(l.out.String(), "unencrypted") {
		t.Errorf("the log does not say that nothing is encrypted: %s", l.out)
	}
	// A damaged file is named; one that others may read is refused.
	path := filepath.Join(dir, "keys.db")
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if out, code := call(t, "bridge", public...); code != 4 || !strings.Contains(out, "chmod 600") {
		t.Errorf("a file that others may read: exit code %d, %s", code, out)
	}
	if err := errors.Join(os.Chmod(path, 0o600), os.Truncate(path, 5000)); err != nil {
		t.Fatal(err)
	}
	if out, code := call(t, "bridge", public...); code != 2 || !strings.Contains(out, "keys.db") || !strings.Contains(out, "restore") {
		t.Errorf("a damaged file: exit code %d, %s", code, out)
	}
}

// Without keys, another user's program is turned away.
func TestOtherUser(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		t.Skip("SKIP TestOtherUser: only root can run a program as another user")
	}
	curl, err := exec.LookPath("curl")
	if err != nil {
		t.Skip("SKIP TestOtherUser: there is no curl")
	}
	l := startAlone(t, upstream(t, backendtest.Answer(backendtest.Completion)))
	ask := func(uid uint32) string {
		cmd := exec.Command(curl, "-s", "--noproxy", "*", "-H", "Authorization: Bearer any", l.base+"/models")
		cmd.Dir = "/"
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("curl as %d: %v", uid, err)
		}
		return string(out)
	}
	if out := ask(0); !strings.Contains(out, `"list"`) {
		t.Errorf("the same user got %s", out)
	}
	if out := ask(65533); !strings.Contains(out, "other_user") || !strings.Contains(out, "bridge keys add NAME") {
		t.Errorf("another user got %s, want what to do", out)
	}
	key := l.command("add", "other")
	if out := ask(65533); !strings.Contains(out, "invalid_api_key") || strings.Contains(out, key) {
		t.Errorf("another user with a wrong key got %s", out)
	}
}
