//go:build e2e

package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/culvert-net/culvert/api/backend/backendtest"
	"github.com/culvert-net/culvert/internal/app/member"
)

// endorsement is a rule bundle of nobody's, for a member to endorse.
func endorsement(fill string) string { return strings.Repeat(fill, 64/len(fill)) }

// ofMember runs an observer's command on a sandbox's node and reads its JSON.
func (w *world) ofMember(v any, node string, args ...string) {
	w.t.Helper()
	out, err := exec.Command(program("observer"), append(args, "--json", "--data", w.Dirs[node])...).Output()
	if err == nil {
		err = json.Unmarshal(out, v)
	}
	if err != nil {
		w.t.Fatalf("observer %v on %s: %v, %s", args, node, err, out)
	}
}

// events is how many events an observer has.
func (w *world) events(node string) uint64 {
	w.t.Helper()
	var s struct {
		Member member.Status `json:"member"`
	}
	w.ofMember(&s, node, "status")
	return s.Member.Log.Events
}

// The sandbox's bridge is a member: what members say reaches its log, and it says
// so. Another bridge becomes one with an invite, once while it is stopped and
// serves afterwards, and is out when it is evicted; none of that keeps either from
// answering.
func TestBridgeIsAMember(t *testing.T) {
	t.Parallel()
	u := upstream(t, backendtest.Answer(backendtest.Completion))
	w := start(t, "--backend", u.URL)
	succeed(t, "observer", "world", "endorse", "--hash", endorsement("ab"), "--data", w.Dirs["memory-1"])
	// has waits for all that memory-1 has now. Descriptors are events too, so there
	// are always some.
	has := func(dir string) func() error {
		all := w.events("memory-1")
		return func() error {
			m := w.toldBy(dir).Member
			if m == nil || !m.Member || m.Log.Events < all {
				return fmt.Errorf("member: %+v, of %d events", m, all)
			}
			return nil
		}
	}
	eventually(t, longest, "the bridge has the event", has(w.Dirs["bridge"]))

	var inv member.Invited
	w.ofMember(&inv, "memory-2", "world", "invite", "--role", "bridge")
	root := t.TempDir()
	file, dir := filepath.Join(root, "invite.toml"), filepath.Join(root, "second")
	if err := os.WriteFile(file, []byte(inv.File), 0o600); err != nil {
		t.Fatal(err)
	}
	join := func(phrase string) (string, error) {
		cmd := exec.Command(program("bridge"), "join", file, "--data", dir)
		cmd.Env = append(os.Environ(), member.PhraseVariable+"="+phrase)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	// Only founders admit here, and memory-2 is none: the newcomer waits for one.
	asking := make(chan error, 1)
	go func() {
		out, err := join(inv.Phrase)
		if err != nil {
			err = fmt.Errorf("join: %w: %s", err, out)
		}
		asking <- err
	}()
	var newcomer string
	eventually(t, longest, "the founder sees who waits", func() error {
		var shown member.Shown
		w.ofMember(&shown, "memory-1", "world", "show")
		for _, c := range shown.Waiting {
			newcomer = c.Key
			return nil
		}
		return errors.New("nobody waits")
	})
	succeed(t, "observer", "world", "admit", newcomer, "--data", w.Dirs["memory-1"])
	if err := <-asking; err != nil {
		t.Fatal(err)
	}

	second := daemonise(t, nil, "bridge", "serve", "--data", dir, "--listen", "127.0.0.1:0", "--status-listen", "127.0.0.1:0", "--log-level", "debug")
	ready(t, "bridge", dir)
	eventually(t, longest, "the new member has the event", has(dir))
	if _, err := join(inv.Phrase); err != nil {
		t.Errorf("joining once more: %v", err)
	}

	succeed(t, "observer", "world", "evict", newcomer, "--data", w.Dirs["memory-1"])
	had := w.toldBy(dir).Member.Log.Events
	succeed(t, "observer", "world", "endorse", "--hash", endorsement("cd"), "--data", w.Dirs["memory-1"])
	eventually(t, longest, "the bridge has what was said afterwards", has(w.Dirs["bridge"]))
	rounds := w.toldBy(dir).Member.Sync.Rounds
	eventually(t, longest, "the evicted bridge asked again, and says that nobody answers", func() error {
		m := w.toldBy(dir).Member
		if m.Sync.Rounds < rounds+2 || m.Problem == "" {
			return fmt.Errorf("%d rounds, %d before; %q", m.Sync.Rounds, rounds, m.Problem)
		}
		return nil
	})
	if m := w.toldBy(dir).Member; m.Log.Events != had {
		t.Errorf("the evicted bridge has %d events, and had %d; it reads nothing of the next generation", m.Log.Events, had)
	}
	w.ask(chatBody(false)).completed(t)
	second.stop(t)
	if strings.Contains(second.out.String(), inv.Phrase) || strings.Contains(w.out.String(), inv.Phrase) {
		t.Error("a log has the invite's phrase")
	}
}

// What is no invite, or not to this world, is refused with what to do.
func TestBridgeJoinRefuses(t *testing.T) {
	t.Parallel()
	w := start(t, "--backend", "mock")
	root := t.TempDir()
	file := filepath.Join(root, "invite.toml")
	var inv member.Invited
	w.ofMember(&inv, "memory-1", "world", "invite")
	if err := os.WriteFile(file, []byte(inv.File), 0o600); err != nil {
		t.Fatal(err)
	}
	other := watchers{t: t, root: t.TempDir(), daemons: make(map[string]*daemon)}
	succeed(t, "observer", "world", "create", "elsewhere", "--local", "--data", other.dir("a"), "--listen", other.listen())
	elsewhere := filepath.Join(root, "elsewhere")
	succeed(t, "bridge", "init", "--world", other.dir("a")+"/world.toml", "--data", elsewhere)
	half := filepath.Join(root, "half.toml")
	if err := os.WriteFile(half, []byte(inv.File[:len(inv.File)/2]), 0o600); err != nil {
		t.Fatal(err)
	}
	wrong := "abandon-ability-able-about-above-absent-absorb"
	for _, tt := range []struct {
		file, dir, phrase string
		code              int
		want              string
	}{
		{filepath.Join(root, "none.toml"), "x", inv.Phrase, 2, "reading the invite"},
		{half, "x", inv.Phrase, 2, "get the file again"},
		{file, elsewhere, inv.Phrase, 2, "belongs to world"},
		{file, filepath.Join(root, "x"), wrong, 2, "phrase"},
	} {
		cmd := exec.Command(program("bridge"), "join", tt.file, "--data", tt.dir)
		cmd.Env = append(os.Environ(), member.PhraseVariable+"="+tt.phrase)
		out, err := cmd.CombinedOutput()
		if code := cmd.ProcessState.ExitCode(); code != tt.code || !strings.Contains(string(out), tt.want) {
			t.Errorf("join %s: exit code %d, %v, %s; want %d and %q", tt.file, code, err, out, tt.code, tt.want)
		}
	}
	s := w.told()
	if s.Member == nil || s.Member.Members != 4 {
		t.Errorf("members = %+v, want the four of the beginning", s.Member)
	}
}
