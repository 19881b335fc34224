//go:build e2e

package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/culvert-net/culvert/internal/app/member"
)

// watchers is a world of observers, each a process.
type watchers struct {
	t       *testing.T
	root    string
	phrases []string // of invites
	level   string   // of the observers' logs; empty: the default
	daemons map[string]*daemon
}

func newWatchers(t *testing.T, create ...string) *watchers {
	t.Helper()
	w := &watchers{t: t, root: t.TempDir(), daemons: make(map[string]*daemon)}
	succeed(t, "observer", append([]string{
		"world", "create", "watchers", "--local", "--data", w.dir("a"), "--listen", w.listen(), "--name", "a",
	}, create...)...)
	w.serve("a")
	return w
}

func (w *watchers) dir(name string) string { return filepath.Join(w.root, name) }
func (w *watchers) listen() string         { return fmt.Sprintf("/ip4/127.0.0.1/tcp/%d", freePort(w.t)) }

// serve runs an observer and waits until it is ready.
func (w *watchers) serve(name string) {
	w.t.Helper()
	args := []string{"serve", "--data", w.dir(name), "--status-listen", "127.0.0.1:0", "--log-format", "json"}
	if w.level != "" {
		args = append(args, "--log-level", w.level)
	}
	w.daemons[name] = daemonise(w.t, nil, "observer", args...)
	ready(w.t, "observer", w.dir(name))
}

// join brings a new observer in, by an invite of host's.
func (w *watchers) join(host, name string) {
	w.t.Helper()
	w.enter(host, name, "--listen", w.listen(), "--name", name)
}

// enter is join for an observer whose directory may be there already, and then
// needs to be told nothing.
func (w *watchers) enter(host, name string, args ...string) {
	w.t.Helper()
	var inv member.Invited
	w.ask(host, &inv, "world", "invite")
	file := filepath.Join(w.root, name+".invite.toml")
	if err := os.WriteFile(file, []byte(inv.File), 0o600); err != nil {
		w.t.Fatal(err)
	}
	w.phrases = append(w.phrases, inv.Phrase)
	cmd := exec.Command(program("observer"), append([]string{"join", file, "--data", w.dir(name)}, args...)...)
	cmd.Env = append(os.Environ(), "CULVERT_INVITE_PHRASE="+inv.Phrase)
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), " serve --data "+w.dir(name)) {
		w.t.Fatalf("join: %v, %s; want what to run next", err, out)
	}
	w.serve(name)
}

// ask runs a command on an observer's data directory and reads its JSON.
func (w *watchers) ask(name string, v any, args ...string) {
	w.t.Helper()
	out, err := exec.Command(program("observer"), append(args, "--json", "--data", w.dir(name))...).Output()
	if err == nil {
		err = json.Unmarshal(out, v)
	}
	if err != nil {
		w.t.Fatalf("observer %v on %s: %v, %s", args, name, err, out)
	}
}

// endorse has an observer say something, and returns its id.
func (w *watchers) endorse(name string, fill byte) string {
	w.t.Helper()
	var said member.Said
	w.ask(name, &said, "world", "endorse", "--hash", fmt.Sprintf("%064x", fill))
	return said.ID
}

func (w *watchers) has(name, id string) bool {
	w.t.Helper()
	var x member.Explained
	w.ask(name, &x, "log", "explain", id)
	return x.Stored
}

// reaches waits until observers have an event, which repair brings if push did not.
func (w *watchers) reaches(id string, names ...string) {
	w.t.Helper()
	for _, name := range names {
		eventually(w.t, patience, name+" has event "+id[:8], func() error {
			if w.has(name, id) {
				return nil
			}
			out, _ := call(w.t, "observer", "sync", "--data", w.dir(name))
			return errors.New("it has not; sync said: " + out)
		})
	}
}

// said is how many endorsements an observer has.
func (w *watchers) said(name string) int {
	w.t.Helper()
	out := succeed(w.t, "observer", "log", "export", "--type", "endorsement", "--data", w.dir(name))
	return strings.Count(out, "\n")
}

func (w *watchers) shown(name string) (s member.Shown) {
	w.t.Helper()
	w.ask(name, &s, "world", "show")
	return s
}

// members waits until observers know so many members.
func (w *watchers) members(n int, names ...string) {
	w.t.Helper()
	for _, name := range names {
		eventually(w.t, patience, fmt.Sprintf("%s knows %d members", name, n), func() error {
			if got := len(w.shown(name).Members); got != n {
				return fmt.Errorf("it knows %d", got)
			}
			return nil
		})
	}
}

// What members say reaches all, also one that was killed meanwhile; who was
// evicted reads nothing of the next generation, whatever it tries.
func TestObservers(t *testing.T) {
	t.Parallel()
	w := newWatchers(t, "--mode", "closed")
	w.join("a", "b")
	w.join("a", "c")
	w.members(3, "a", "b", "c")
	w.reaches(w.endorse("b", 1), "a", "b", "c")

	// Killed, it comes back with what it had, and fetches what it missed.
	if err := w.daemons["c"].cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-w.daemons["c"].done
	missed := []string{w.endorse("a", 2), w.endorse("b", 3)}
	w.serve("c")
	for _, id := range missed {
		w.reaches(id, "a", "b", "c")
	}
	for _, name := range []string{"a", "b", "c"} {
		var x member.Checked
		if w.ask(name, &x, "log", "check", "--full"); len(x.Problems) > 0 {
			t.Errorf("log check of %s: %+v; want no problem", name, x)
		}
		if n := w.said(name); n != 3 {
			t.Errorf("%s has %d endorsements, want 3", name, n)
		}
	}

	c := w.shown("c")
	if out := succeed(t, "observer", "world", "evict", c.Self[:8], "--data", w.dir("a")); !strings.Contains(out, "is evicted; the group's keys are of generation 4") {
		t.Errorf("evict said %q", out)
	}
	w.members(2, "a", "b")
	after := w.endorse("b", 4)
	w.reaches(after, "a", "b")
	w.daemons["c"].stop(t)
	w.daemons["c"] = daemonise(t, nil, "observer", "serve", "--data", w.dir("c"), "--status-listen", "127.0.0.1:0")
	eventually(t, patience, "c answers", func() error {
		if out, code := call(t, "observer", "status", "--data", w.dir("c")); code != 0 {
			return errors.New(out)
		}
		return nil
	})
	for _, other := range []string{"a", "b"} {
		eventually(t, patience, "c was refused by "+other, func() error {
			var round member.Synced
			out, err := exec.Command(program("observer"), "sync", "--peer", w.shown(other).Self[:8], "--json", "--data", w.dir("c")).Output()
			if err == nil {
				err = json.Unmarshal(out, &round)
			}
			if err != nil || len(round.Partners) != 1 || round.Partners[0].Error != "closed" {
				return fmt.Errorf("%w: %s", err, out)
			}
			return nil
		})
	}
	eventually(t, patience, "c says that it is refused", func() error {
		out, _ := call(t, "observer", "status", "--data", w.dir("c"))
		if !strings.Contains(out, "was it evicted?") {
			return errors.New(out)
		}
		return nil
	})
	if w.has("c", after) || w.shown("c").Generation != 3 {
		t.Error("who was evicted has the next generation, or what was said in it")
	}
	w.keepNoPhrase()
}

// keepNoPhrase looks for the phrases of invites wherever something is written:
// they are shown once, to one person.
func (w *watchers) keepNoPhrase() {
	w.t.Helper()
	look := func(where string, text []byte) {
		for _, phrase := range w.phrases {
			if bytes.Contains(text, []byte(phrase)) {
				w.t.Errorf("the phrase of an invite is in %s", where)
			}
		}
	}
	for name, d := range w.daemons {
		look("the log of "+name, []byte(d.out.String()))
	}
	err := filepath.WalkDir(w.root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		look(path, text)
		return err
	})
	if err != nil {
		w.t.Error(err)
	}
}

// Events that one observer exported, another imports, in both forms; and a file of
// somebody else's world is refused event by event.
func TestExportImport(t *testing.T) {
	t.Parallel()
	w := newWatchers(t, "--mode", "closed")
	w.endorse("a", 1)
	w.endorse("a", 2)
	other := newWatchers(t, "--mode", "closed", "--epoch", "30m")
	for _, format := range []string{"json", "protobuf"} {
		out, err := exec.Command(program("observer"), "log", "export", "--format", format, "--type", "endorsement", "--data", w.dir("a")).Output()
		if err != nil || len(out) == 0 {
			t.Fatalf("export as %s: %v", format, err)
		}
		file := filepath.Join(t.TempDir(), "events")
		if err := os.WriteFile(file, out, 0o600); err != nil {
			t.Fatal(err)
		}
		for _, tt := range []struct{ dir, want string }{
			{w.dir("a"), "0 added, 2 known before.\n"},
			{other.dir("a"), "0 added, 0 known before, refused: 2 world.\n"},
		} {
			if said := succeed(t, "observer", "log", "import", file, "--data", tt.dir); said != tt.want {
				t.Errorf("import as %s said %q, want %q", format, said, tt.want)
			}
		}
	}
	// The files alone give the same answers.
	w.daemons["a"].stop(t)
	var x member.Checked
	w.ask("a", &x, "log", "check", "--full")
	if n := w.said("a"); n != 2 || len(x.Problems) > 0 {
		t.Errorf("check without the daemon = %+v and %d endorsements, want 2", x, n)
	}
}

// In a world where two of two founders decide, an invite waits for the other one.
func TestTwoFounders(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	key := strings.TrimSuffix(strings.Fields(succeed(t, "observer", "init", "--data", filepath.Join(root, "b")))[3], ".")
	w := newWatchers(t, "--mode", "closed", "--founders", key, "--founder-threshold", "2", "--founder-keys", filepath.Join(root, "b", "transport.key"))
	if s := w.shown("a"); s.FounderThreshold != 2 || len(s.Founders) != 2 || len(s.Signers) != 2 || s.Threshold != 2 {
		t.Errorf("show = %+v; want both founders", s)
	}
	var inv member.Invited
	w.ask("a", &inv, "world", "invite")
	file := filepath.Join(root, "invite.toml")
	if err := os.WriteFile(file, []byte(inv.File), 0o600); err != nil {
		t.Fatal(err)
	}
	joining := daemonise(t, []string{"CULVERT_INVITE_PHRASE=" + inv.Phrase}, "observer", "join", file, "--data", filepath.Join(root, "b2"), "--listen", w.listen())
	eventually(t, patience, "join says that it waits", func() error {
		if !strings.Contains(joining.out.String(), "Waiting: 1 approval missing") {
			return errors.New(joining.out.String())
		}
		return nil
	})
	if s := w.shown("a"); len(s.Waiting) != 1 || s.Waiting[0].Missing != 1 || s.Waiting[0].Change != "admit" {
		t.Errorf("waiting = %+v; want one that lacks one approval", s.Waiting)
	}
	// The other founder approves by file, on a machine that is in no world.
	sheet := filepath.Join(root, "petition.toml")
	succeed(t, "observer", "world", "petition", w.shown("a").Waiting[0].Key, "--out", sheet, "--data", w.dir("a"))
	succeed(t, "observer", "world", "approve", sheet, "--yes", "--data", filepath.Join(root, "b"))
	if said := succeed(t, "observer", "world", "approve", sheet, "--yes", "--data", w.dir("a")); !strings.Contains(said, "is admitted") {
		t.Errorf("approve said %q; want the newcomer admitted", said)
	}
	eventually(t, patience, "join is done", func() error {
		if !strings.Contains(joining.out.String(), "is a member of world") {
			return errors.New(joining.out.String())
		}
		return nil
	})
}
