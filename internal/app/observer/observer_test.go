package observer

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/member"
	"github.com/culvert-net/culvert/internal/app/node"
	"github.com/culvert-net/culvert/mesh/world"
)

func TestRoles(t *testing.T) {
	for _, tt := range []struct {
		roles []string
		want  string // in the error; empty: none
	}{
		{[]string{"memory"}, ""},
		{nil, "the list is empty"},
		{[]string{"prober"}, "comes in a later version"},
		{[]string{"memory", "prober"}, "comes in a later version"},
		{[]string{"memory", "memory"}, "listed twice"},
		{[]string{"provider"}, "is not known"},
	} {
		cfg := Defaults()
		cfg.Node.Roles = tt.roles
		err := cfg.Validate()
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("roles %q: %v, want %q", tt.roles, err, tt.want)
		}
	}
}

// run runs a command of the program and returns what it printed.
func run(t *testing.T, args ...string) (string, error) {
	t.Helper()
	cmd := Command()
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	var out strings.Builder
	cmd.SetOut(&out)
	cmd.SetErr(&out)
	cmd.SetArgs(args)
	err := cmd.ExecuteContext(t.Context())
	return out.String(), err
}

// local is a listen address of this machine that is free.
func local(t *testing.T) string {
	t.Helper()
	port, err := node.FreePort(0)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("/ip4/127.0.0.1/tcp/%d", port)
}

// Keys can be made before there is a world, and once.
func TestInit(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "d")
	said, err := run(t, "init", "--data", dir, "--listen", local(t))
	if err != nil {
		t.Fatal(err)
	}
	key, err := node.EnsureKey(dir)
	if err != nil || !strings.Contains(said, fmt.Sprintf("This machine is %x.", key.Public())) {
		t.Errorf("init said %q, %v; want the key", said, err)
	}
	for _, name := range []string{node.KeyFile, app.ConfigFile} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v; want it there with mode 0600", name, err)
		}
	}
	again, err := run(t, "init", "--data", dir)
	if err != nil || again != said {
		t.Errorf("the second init said %q, %v; want the same key", again, err)
	}
	cfg := Defaults()
	if _, err := app.Load(cfg, program, dir, nil); err != nil {
		t.Fatal(err)
	}
	// As after a command that failed because of something else.
	if again, err := run(t, "init", "--data", dir, "--listen", cfg.Node.Listen[0]); err != nil || again != said {
		t.Errorf("init with the same settings said %q, %v; want the same key", again, err)
	}
	if _, err := run(t, "init", "--data", dir, "--name", "other"); app.Code(err) != app.ExitUsage || !strings.Contains(err.Error(), "set up already") {
		t.Errorf("init with other settings = %v, want it refused", err)
	}
	if _, err := run(t, "serve", "--data", dir); app.Code(err) != app.ExitUsage || !strings.Contains(err.Error(), "join FILE") || !strings.Contains(err.Error(), "world create PHRASE") {
		t.Errorf("serve without a world = %v, want how to get one", err)
	}
	if _, err := run(t, "status", "--data", dir); app.Code(err) != app.ExitNotReady || !strings.Contains(err.Error(), "serve --data") {
		t.Errorf("status of none = %v, want how to start one", err)
	}
}

// started serves a data directory until the test ends.
func started(t *testing.T, dir string) {
	t.Helper()
	cfg := Defaults()
	if _, err := app.Load(cfg, program, dir, nil); err != nil {
		t.Fatal(err)
	}
	cfg.Status.Listen = ""
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- Serve(ctx, Options{Data: dir, Config: cfg, Err: t.Output()}) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("Serve(%s) = %v", dir, err)
		}
	})
}

// eventually waits for something that a running observer does.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not in time: %s", what)
		}
	}
}

// jsonOf runs a command with --json and reads what it printed.
func jsonOf[T any](t *testing.T, args ...string) (v T) {
	t.Helper()
	said, err := run(t, append(args, "--json")...)
	if err != nil {
		t.Fatalf("%q: %v", args, err)
	}
	if err := json.Unmarshal([]byte(said), &v); err != nil {
		t.Fatalf("%q printed %s: %v", args, said, err)
	}
	return v
}

// joined makes a data directory by an invite of the observer on host's.
func joined(t *testing.T, host, dir string) {
	t.Helper()
	inv := jsonOf[member.Invited](t, "world", "invite", "--data", host)
	file, phrase := filepath.Join(t.TempDir(), "invite.toml"), filepath.Join(t.TempDir(), "phrase")
	for name, text := range map[string]string{file: inv.File, phrase: inv.Phrase + "\n"} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	args := []string{"join", file, "--phrase-file", phrase, "--data", dir}
	if _, err := os.Stat(filepath.Join(dir, app.ConfigFile)); err != nil { // else it says where
		args = append(args, "--listen", local(t))
	}
	said, err := run(t, args...)
	if err != nil || !strings.Contains(said, "is a member of world") || !strings.Contains(said, "serve --data") {
		t.Fatalf("join said %q, %v", said, err)
	}
}

// A world is founded, two others join it, and what one says all remember; who is
// evicted reads nothing of what comes after.
func TestWorld(t *testing.T) {
	root := t.TempDir()
	a, b, c := filepath.Join(root, "a"), filepath.Join(root, "b"), filepath.Join(root, "c")
	said, err := run(t, "world", "create", "blue river", "--mode", "closed", "--local", "--data", a, "--listen", local(t))
	if err != nil || !strings.Contains(said, `World "blue-river"`) {
		t.Fatalf("world create said %q, %v", said, err)
	}
	if s := jsonOf[member.Shown](t, "world", "show", "--data", a); len(s.Members) != 1 || !s.Members[0].Founder || !s.Members[0].Self || s.Problem != "" {
		t.Errorf("show of the files alone = %+v", s)
	}
	started(t, a)
	eventually(t, "a is ready", func() bool {
		s, err := run(t, "status", "--data", a)
		return err == nil && strings.Contains(s, "Ready") && !strings.Contains(s, "no:")
	})
	joined(t, a, b)
	started(t, b)
	joined(t, a, c)
	started(t, c)
	for _, dir := range []string{a, b, c} {
		eventually(t, dir+" knows three members", func() bool {
			return len(jsonOf[member.Shown](t, "world", "show", "--data", dir).Members) == 3
		})
	}
	for _, dir := range []string{a, b, c} {
		eventually(t, dir+" pushes to two members", func() bool { return jsonOf[Status](t, "status", "--data", dir).Member.Push.Peers == 2 })
	}
	// What is said before the others have subscribed to a generation's topic comes by
	// repair, minutes later; so b says something until it came by push.
	var ids []string
	eventually(t, "all have what b said, by push", func() bool {
		hash := fmt.Sprintf("%064x", len(ids)+1)
		ids = append(ids, jsonOf[member.Said](t, "world", "endorse", "--hash", hash, "--data", b).ID)
		return slices.ContainsFunc(ids, func(id string) bool {
			return !slices.ContainsFunc([]string{a, c}, func(dir string) bool {
				return !jsonOf[member.Explained](t, "log", "explain", id, "--data", dir).Stored
			})
		})
	})

	cKey := jsonOf[member.Shown](t, "world", "show", "--data", c).Self
	gone := jsonOf[member.Approved](t, "world", "evict", cKey[:12], "--data", a)
	if gone.Missing != 0 || gone.Key != cKey || gone.Generation != 4 {
		t.Errorf("evict = %+v, want it done in generation 4", gone)
	}
	eventually(t, "b knows two members", func() bool {
		return len(jsonOf[member.Shown](t, "world", "show", "--data", b).Members) == 2
	})
	secret := jsonOf[member.Said](t, "world", "endorse", "--hash", strings.Repeat("cd", 32), "--data", a)
	eventually(t, "b has what a said", func() bool {
		_, _ = run(t, "sync", "--data", b)
		return jsonOf[member.Explained](t, "log", "explain", secret.ID, "--data", b).Stored
	})
	for range 2 {
		for _, p := range jsonOf[member.Synced](t, "sync", "--data", c).Partners {
			if p.Error == "" {
				t.Errorf("who was evicted had a session: %+v", p)
			}
		}
	}
	if jsonOf[member.Explained](t, "log", "explain", secret.ID, "--data", c).Stored {
		t.Error("who was evicted reads what is said after")
	}
}

// A command that has the files for a moment does not keep the observer from starting.
func TestServeWaitsForCommands(t *testing.T) {
	a, _ := alone(t)
	data, err := app.OpenData(a, program)
	if err != nil {
		t.Fatal(err)
	}
	started(t, a)
	time.AfterFunc(300*time.Millisecond, func() { _ = data.Close() })
	eventually(t, "it answers", func() bool {
		_, err := run(t, "status", "--data", a)
		return err == nil
	})
}

// Where two founders of three decide, the world is founded, and members come and go,
// though the founders' keys never leave their machines and one is no member.
func TestApprovalsByFile(t *testing.T) {
	root := t.TempDir()
	dir := func(name string) string { return filepath.Join(root, name) }
	var founders []string
	for _, name := range []string{"b", "c"} {
		if _, err := run(t, "init", "--data", dir(name), "--listen", local(t)); err != nil {
			t.Fatal(err)
		}
		key, err := node.LoadKey(filepath.Join(dir(name), node.KeyFile))
		if err != nil {
			t.Fatal(err)
		}
		founders = append(founders, fmt.Sprintf("%x", key.Public()))
	}
	create := []string{
		"world", "create", "blue river", "--mode", "closed", "--founders", strings.Join(founders, ","), "--founder-threshold", "2",
		"--local", "--data", dir("a"), "--listen", local(t),
	}
	if said, err := run(t, create...); err != nil || !strings.Contains(said, "waits for 1 approval") || !strings.Contains(said, "world create --approved FILE") {
		t.Fatalf("world create said %q, %v; want what founders do", said, err)
	}
	if _, err := run(t, create...); app.Code(err) != app.ExitUsage {
		t.Errorf("beginning again = %v, want it refused: the file may be on its way", err)
	}
	file := filepath.Join(dir("a"), foundingFile)
	if _, err := run(t, "world", "create", "--approved", file, "--data", dir("a")); app.Code(err) != app.ExitUsage || !strings.Contains(err.Error(), "missing") {
		t.Errorf("founding with one approval = %v, want it refused", err)
	}
	approve := func(name, file string) (string, string) {
		t.Helper()
		out := filepath.Join(t.TempDir(), "petition.toml")
		said, err := run(t, "world", "approve", file, "--out", out, "--yes", "--data", dir(name))
		if err != nil {
			t.Fatal(err)
		}
		return out, said
	}
	if _, err := run(t, "world", "approve", file, "--data", dir("b")); app.Code(err) != app.ExitUsage || !strings.Contains(err.Error(), "--yes") {
		t.Errorf("approving unseen = %v, want it asked for", err)
	}
	back, _ := approve("b", file)
	if _, err := run(t, "world", "create", "--approved", back, "--data", dir("b")); app.Code(err) != app.ExitUsage || !strings.Contains(err.Error(), "another machine") {
		t.Errorf("founding elsewhere = %v, want it refused", err)
	}
	if said, err := run(t, "world", "create", "--approved", back, "--data", dir("a")); err != nil || !strings.Contains(said, "is founded") {
		t.Fatalf("founding said %q, %v", said, err)
	}
	if _, err := os.Stat(file); err == nil {
		t.Error("the founding is done, and its file still waits")
	}
	rules, forked := proposed(t, dir("a")), dir("fork")
	if said, err := run(t, "world", "fork", "--rules", rules, "--force", "--data-new", forked, "--listen", local(t), "--data", dir("a")); err != nil || !strings.Contains(said, "waits for 1 approval") {
		t.Fatalf("fork said %q, %v; want what founders do", said, err)
	}
	back, _ = approve("b", filepath.Join(forked, foundingFile))
	if said, err := run(t, "world", "create", "--approved", back, "--data", forked); err != nil || !strings.Contains(said, "is founded") {
		t.Errorf("founding the fork said %q, %v", said, err)
	}
	started(t, dir("a"))
	joined(t, dir("a"), dir("b")) // b approves of itself
	evicted := jsonOf[member.Shown](t, "world", "show", "--data", dir("b")).Self
	if got := jsonOf[member.Approved](t, "world", "evict", evicted[:8], "--data", dir("a")); got.Missing != 1 {
		t.Errorf("evict by one of two founders = %+v, want one approval missing", got)
	}
	out := filepath.Join(t.TempDir(), "out.toml")
	if said, err := run(t, "world", "petition", evicted[:8], "--out", out, "--data", dir("a")); err != nil || !strings.Contains(said, "To evict") {
		t.Fatalf("petition said %q, %v", said, err)
	}
	if _, said := approve("a", out); !strings.Contains(said, "1 approval missing") {
		t.Errorf("approving twice said %q, want that one is missing", said)
	}
	back, said := approve("c", out) // c was never a member
	if !strings.Contains(said, "There are enough") {
		t.Errorf("c's approve said %q", said)
	}
	if _, said := approve("a", back); !strings.Contains(said, "is evicted") {
		t.Errorf("approve of what came back said %q, want it done", said)
	}
	if s := jsonOf[member.Shown](t, "world", "show", "--data", dir("a")); len(s.Members) != 1 {
		t.Errorf("%d members, want the evicted gone", len(s.Members))
	}
}

// Lists name authors by the beginning of their keys, so that is enough to ask for
// one's events; and what was exported is taken back, without saying in which form.
func TestLogCommands(t *testing.T) {
	a, _ := alone(t)
	self := jsonOf[member.Shown](t, "world", "show", "--data", a).Self
	id := jsonOf[member.Said](t, "world", "endorse", "--hash", strings.Repeat("cd", 32), "--data", a).ID
	for _, author := range []string{self, self[:8]} {
		if said, err := run(t, "log", "--author", author, "--data", a); err != nil || !strings.Contains(said, id) {
			t.Errorf("log --author %s said %q, %v; want %s", author, said, err, id)
		}
	}
	for _, format := range []string{formatJSON, formatProto} {
		said, err := run(t, "log", "export", "--format", format, "--data", a)
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), "events")
		if err := os.WriteFile(file, []byte(said), 0o600); err != nil {
			t.Fatal(err)
		}
		if said, err := run(t, "log", "import", file, "--data", a); err != nil || said != "0 added, 1 known before.\n" {
			t.Errorf("import of %s said %q, %v", format, said, err)
		}
	}
}

// What a charter says of quotas is its founder's choice, made once.
func TestCreateQuota(t *testing.T) {
	for _, tt := range []struct {
		flags []string
		want  uint32
	}{
		{nil, world.DefaultQuota},
		{[]string{"--quota", "50000"}, 50_000},
	} {
		dir := filepath.Join(t.TempDir(), "a")
		if said, err := run(t, append([]string{"world", "create", "blue river", "--local", "--data", dir, "--listen", local(t)}, tt.flags...)...); err != nil {
			t.Fatalf("world create %q said %q, %v", tt.flags, said, err)
		}
		w, err := world.Load(filepath.Join(dir, "world.toml"))
		if err != nil {
			t.Fatal(err)
		}
		if got := w.Terms().Quota; got != tt.want {
			t.Errorf("world create %q made a quota of %d, want %d", tt.flags, got, tt.want)
		}
	}
}

// A mistyped phrase is found before a data directory is made.
func TestMistypedPhrase(t *testing.T) {
	a, _ := alone(t)
	inv := jsonOf[member.Invited](t, "world", "invite", "--data", a)
	file, phrase := filepath.Join(t.TempDir(), "invite.toml"), filepath.Join(t.TempDir(), "phrase")
	if err := os.WriteFile(file, []byte(inv.File), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ said, want string }{
		{"\n", "it has seven words"},
		{"river\n", "two words"},
		{strings.Replace(inv.Phrase, "-", "-abandon-", 1), "the invite's phrase"},
	} {
		if err := os.WriteFile(phrase, []byte(tt.said), 0o600); err != nil {
			t.Fatal(err)
		}
		dir := filepath.Join(t.TempDir(), "b")
		if _, err := run(t, "join", file, "--phrase-file", phrase, "--data", dir, "--listen", local(t)); app.Code(err) != app.ExitUsage || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("join with phrase %q = %v, want %q", tt.said, err, tt.want)
		}
		if _, err := os.Stat(dir); err == nil {
			t.Errorf("join with phrase %q made a data directory", tt.said)
		}
	}
}

// Who made its key first and then founds a world otherwise is told which setting is
// another.
func TestCreateAfterInit(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a")
	if _, err := run(t, "init", "--data", dir, "--listen", local(t)); err != nil {
		t.Fatal(err)
	}
	_, err := run(t, "world", "create", "x", "--local", "--first-nodes", "5", "--name", "first", "--data", dir)
	if app.Code(err) != app.ExitUsage || !strings.Contains(err.Error(), "another node.name and directory.first_nodes; edit") {
		t.Errorf("create = %v, want the settings that are others", err)
	}
}

// What cannot be founded, joined or done is refused with what to do.
func TestRefusals(t *testing.T) {
	root := t.TempDir()
	a := filepath.Join(root, "a")
	if _, err := run(t, "world", "create", "x", "--local", "--data", a, "--listen", local(t)); err != nil {
		t.Fatal(err)
	}
	key := strings.Repeat("ab", 32)
	file := func(text string) string {
		name := filepath.Join(root, "file")
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	for _, tt := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"world", "create", "x", "--local", "--data", a}, 2, "has a world already"},
		{[]string{"world", "create", "y", "--mode", "open", "--local", "--listen", local(t)}, 2, "comes in a later version"},
		{[]string{"world", "create", "y", "--mode", "king", "--local", "--listen", local(t)}, 2, "closed, vouch and open"},
		{[]string{"world", "create", "y", "--founders", "me", "--local", "--listen", local(t)}, 2, "64 hexadecimal digits"},
		{[]string{"world", "create", "--approved", file("x")}, 2, "it is no petition"},
		{[]string{"world", "create", "--approved", file("x"), "--local"}, 2, "--local was decided"},
		{[]string{"world", "create", "y", "--approved", file("x")}, 2, "one of them"},
		{[]string{"world", "petition", "ffffffff", "--data", a}, 2, "observer world show"},
		{[]string{"world", "approve", file("x"), "--data", a}, 2, "it is no petition"},
		{[]string{"world", "create", "y", "--signers", "3", "--local", "--listen", local(t)}, 2, "name more with --founders"},
		{[]string{"world", "create", "y", "--local", "--listen", "/ip4/127.0.0.1/tcp/0"}, 2, "port 0"},
		{[]string{"world", "invite", "--data", a, "--role", "king"}, 2, "bridge, memory, prober or both"},
		{[]string{"world", "evict", "ffffffff", "--data", a}, 2, "observer world show"},
		{[]string{"world", "evict", "ff", "--data", a}, 2, "four digits"},
		{[]string{"world", "admit", "ffffffff", "--data", a}, 2, "observer world show"},
		{[]string{"world", "admit", jsonOf[member.Shown](t, "world", "show", "--data", a).Self, "--data", a}, 2, "is a member, and no change of it waits"},
		{[]string{"world", "endorse", "--data", a}, 2, "--rules FILE or --hash HASH"},
		{[]string{"world", "endorse", "--hash", "zz", "--data", a}, 2, "64 hexadecimal digits"},
		{[]string{"world", "rules", key, "--data", a}, 2, "world rules --keep FILE"},
		{[]string{"world", "rules", key, "--keep", file("x"), "--data", a}, 2, "one of the two"},
		{[]string{"world", "rules", "--keep", file("{}"), "--data", a}, 2, "rules in "},
		{[]string{"world", "fork", "--data", a}, 2, "--rules FILE or --hash HASH"},
		{[]string{"world", "fork", "--hash", key, "--data", a}, 2, "world rules --keep FILE"},
		{[]string{"world", "choose", key, "--data", a}, 2, "not forked"},
		{[]string{"world", "show"}, 2, "join FILE"},
		{[]string{"join", file("nothing"), "--phrase-file", file("nothing")}, 2, "it is no invite"},
		{[]string{"log", "--author", "ffffffff", "--data", a}, 2, "all 64 digits"},
		{[]string{"log", "import", file("{}"), "--format", "xml", "--data", a}, 2, "json or protobuf"},
		{[]string{"log", "--type", "king", "--data", a}, 2, "receipt"},
		{[]string{"log", "--epoch", "9-1", "--data", a}, 2, "--epoch"},
		{[]string{"log", "--since", "yesterday", "--data", a}, 2, "--since"},
		{[]string{"log", "explain", "zz", "--data", a}, 2, "64 hexadecimal digits"},
		{[]string{"log", "export", "--format", "xml", "--data", a}, 2, "json or protobuf"},
		{[]string{"log", "import", file("{}"), "--data", a}, 2, "event 1"},
		{[]string{"sync", "--data", a}, 3, "no observer is running"},
	} {
		args := tt.args
		if !slices.Contains(args, "--data") {
			args = append(slices.Clone(args), "--data", filepath.Join(t.TempDir(), "d"))
		}
		if said, err := run(t, args...); app.Code(err) != tt.code || !strings.Contains(fmt.Sprint(err), tt.want) {
			t.Errorf("%q = %v (code %d), said %q; want code %d and %q", tt.args, err, app.Code(err), said, tt.code, tt.want)
		}
	}
}
