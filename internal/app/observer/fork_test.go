package observer

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/member"
	"github.com/culvert-net/culvert/internal/app/node"
	"github.com/culvert-net/culvert/mesh/world"
)

// proposed is a file of a world's rules with one changed.
func proposed(t *testing.T, dir string) string {
	t.Helper()
	text, err := run(t, "world", "rules", "--data", dir)
	if err != nil || !strings.Contains(text, "epoch_len_ms = 3600000") {
		t.Fatalf("world rules said %q, %v", text, err)
	}
	file := filepath.Join(t.TempDir(), "proposed.toml")
	if err := os.WriteFile(file, []byte(strings.Replace(text, "epoch_len_ms = 3600000", "epoch_len_ms = 1800000", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// alone is a world of one member, who sees at once what it wants.
func alone(t *testing.T) (dir string, old *world.World) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "a")
	if _, err := run(t, "world", "create", "old", "--mode", "closed", "--operator", "example.org", "--local", "--name", "first", "--data", dir, "--listen", local(t)); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, app.ConfigFile)
	text, err := os.ReadFile(file)
	if err == nil {
		err = os.WriteFile(file, []byte(strings.Replace(string(text), "[rules]", "[rules]\nepochs = 1\n", 1)), 0o600)
	}
	if err == nil {
		old, err = node.LoadWorld(worldPath(dir))
	}
	if err != nil {
		t.Fatal(err)
	}
	return dir, old
}

// What a bundle says goes from person to person: an observer shows it once it
// was shown it, whether it endorses it or not, and only this.
func TestBundles(t *testing.T) {
	a, _ := alone(t)
	file := proposed(t, a)
	r, err := world.LoadRules(file, false)
	if err != nil {
		t.Fatal(err)
	}
	hash := r.Hash().String()
	if e := jsonOf[member.Endorsed](t, "world", "endorse", "--hash", hash, "--data", a); e.Rules != hash || e.Known || e.Changes != nil {
		t.Errorf("endorsed what is not known: %+v", e)
	}
	if said, err := run(t, "world", "show", "--data", a); err != nil || !strings.Contains(said, hash+": not known here") {
		t.Errorf("show said %q, %v", said, err)
	}
	said, err := run(t, "world", "rules", "--keep", file, "--data", a)
	if err != nil || !strings.Contains(said, hash+" are known now: epoch_len_ms 3600000 -> 1800000.") {
		t.Errorf("rules --keep said %q, %v", said, err)
	}
	if said, err := run(t, "world", "show", "--data", a); err != nil || !strings.Contains(said, hash+": epoch_len_ms 3600000 -> 1800000") || !strings.Contains(said, "ENOUGH") {
		t.Errorf("show said %q, %v", said, err)
	}
	if said, err := run(t, "world", "rules", hash, "--data", a); err != nil || !strings.Contains(said, "epoch_len_ms = 1800000") {
		t.Errorf("rules HASH said %q, %v", said, err)
	}
	if said, err := run(t, "world", "rules", "--keep", worldPath(a), "--data", a); err != nil || !strings.Contains(said, "are those of this world") {
		t.Errorf("rules --keep of the own ones said %q, %v", said, err)
	}
	if _, err := run(t, "world", "endorse", "--rules", worldPath(a), "--data", a); app.Code(err) != app.ExitUsage || !strings.Contains(err.Error(), "this world's rules") {
		t.Errorf("endorsing the own rules = %v, want it refused", err)
	}
	if e := jsonOf[member.Endorsed](t, "world", "endorse", "--rules", file, "--weight", "0", "--data", a); !e.Known || len(e.Changes) != 1 {
		t.Errorf("taken back: %+v", e)
	}
	// A file that says something else than its name is not believed.
	kept := filepath.Join(a, member.RulesDir, hash+".toml")
	if err := world.WriteRules(kept, world.DefaultRules()); err != nil {
		t.Fatal(err)
	}
	if _, err := run(t, "world", "rules", hash, "--data", a); app.Code(err) != app.ExitUsage {
		t.Errorf("a file that was swapped = %v, want it unknown", err)
	}
}

// A fork is another world with the same charter, founded beside the old one by the
// same key; it is refused unless it is wanted.
func TestFork(t *testing.T) {
	a, old := alone(t)
	file, out := proposed(t, a), filepath.Join(t.TempDir(), "new.toml")
	b := filepath.Join(t.TempDir(), "b")
	fork := func(more ...string) (string, error) {
		return run(t, append([]string{"world", "fork", "--rules", file, "--data", a}, more...)...)
	}
	if _, err := fork(); app.Code(err) != app.ExitRefused || !strings.Contains(err.Error(), "nobody endorses them") || !strings.Contains(err.Error(), "--force") {
		t.Errorf("fork of what nobody wants = %v, want it refused", err)
	}
	if _, err := run(t, "world", "fork", "--rules", worldPath(a), "--force", "--data", a); app.Code(err) != app.ExitUsage || !strings.Contains(err.Error(), "own rules") {
		t.Errorf("fork without a difference = %v, want it refused", err)
	}
	if said, err := fork("--force"); err != nil || !strings.Contains(said, "epoch_len_ms = 1800000") || !strings.Contains(said, "Nobody has founded it yet") {
		t.Errorf("fork --force said %q, %v; want the world file and what is missing", said, err)
	}
	if _, err := run(t, "world", "endorse", "--rules", file, "--weight", "0.5", "--data", a); err != nil {
		t.Fatal(err)
	}
	if _, err := fork(); app.Code(err) != app.ExitRefused || !strings.Contains(err.Error(), "50 % of the operators endorse them; enough did for 0 epochs") {
		t.Errorf("fork of what half want = %v, want it refused", err)
	}
	if _, err := run(t, "world", "endorse", "--rules", file, "--data", a, "--weight", "1"); err != nil {
		t.Fatal(err)
	}
	// Which of two endorsements of one epoch counts is not the owner's choice.
	if shown := jsonOf[member.Shown](t, "world", "show", "--data", a); !shown.Rules[0].Active {
		if _, err := fork("--data-new", b, "--out", out, "--first-nodes", "3", "--listen", local(t), "--force"); err != nil {
			t.Fatal(err)
		}
	} else if said, err := fork("--data-new", b, "--out", out, "--first-nodes", "3", "--listen", local(t)); err != nil || !strings.Contains(said, "serve --data "+b) || !strings.Contains(said, "gateway move "+out) {
		t.Errorf("fork said %q, %v; want what is next", said, err)
	}
	made, err := node.LoadWorld(out)
	if err != nil || made.ID == old.ID || made.Phrase != old.Phrase || made.Rules.EpochLenMS != 1_800_000 || made.Charter.Hash() != old.Charter.Hash() {
		t.Fatalf("fork = %+v, %v; want other rules and the rest the same", made, err)
	}
	if len(made.Seeds) != 1 || slices.Contains(old.Seeds, made.Seeds[0]) {
		t.Errorf("seeds %v; want this machine's new address in place of its old one (%v)", made.Seeds, old.Seeds)
	}
	was, is := jsonOf[member.Shown](t, "world", "show", "--data", a), jsonOf[member.Shown](t, "world", "show", "--data", b)
	if is.World != made.ID.String() || is.Problem != "" || len(is.Members) != 1 || is.Members[0] != was.Members[0] {
		t.Errorf("show of the new world = %+v; want the same member as in the old one, %+v", is, was.Members)
	}
	cfg := Defaults()
	if _, err := app.Load(cfg, program, b, nil); err != nil || cfg.Node.Name != "first" || cfg.Status.Listen == statusListen || cfg.Directory.FirstNodes != 3 {
		t.Errorf("its configuration is %+v, %v; want the old name, another port, and a root that waits for three", cfg, err)
	} else if cfg.Rules.Epochs != 1 {
		t.Errorf("its [rules] are %+v, want those of the old directory", cfg.Rules)
	}
	if _, err := fork("--data-new", b, "--force"); app.Code(err) != app.ExitUsage || !strings.Contains(err.Error(), "has a world already") {
		t.Errorf("fork into the same place = %v, want it refused", err)
	}
	// Cut short before the world file was there, it is founded anew.
	if err := os.Remove(worldPath(b)); err != nil {
		t.Fatal(err)
	}
	if _, err := fork("--data-new", b, "--force"); err != nil {
		t.Errorf("fork again = %v", err)
	}
	if again := jsonOf[member.Shown](t, "world", "show", "--data", b); again.World != made.ID.String() || again.Entry == is.Entry || len(again.Members) != 1 {
		t.Errorf("show = %+v; want another founding", again)
	}
	if _, err := fork("--data-new", a, "--force"); app.Code(err) != app.ExitUsage {
		t.Errorf("fork into the old directory = %v, want it refused", err)
	}
	stranger := filepath.Join(t.TempDir(), "c")
	if _, err := run(t, "init", "--data", stranger, "--listen", local(t)); err != nil {
		t.Fatal(err)
	}
	if _, err := fork("--data-new", stranger, "--force"); app.Code(err) != app.ExitUsage || !strings.Contains(err.Error(), "another machine's key") {
		t.Errorf("fork into another machine's directory = %v, want it refused", err)
	}
	if _, err := run(t, "world", "create", "--from", out, "--data", stranger); app.Code(err) != app.ExitUsage || !strings.Contains(err.Error(), "none of the founders") {
		t.Errorf("founding it as somebody else = %v, want it refused", err)
	}
}

// An observer moves, is no member there until it is invited, and comes back to its
// membership.
func TestMove(t *testing.T) {
	a, old := alone(t)
	file, out := proposed(t, a), filepath.Join(t.TempDir(), "new.toml")
	if _, err := run(t, "world", "fork", "--rules", file, "--force", "--out", out, "--data", a); err != nil {
		t.Fatal(err)
	}
	key, err := node.LoadKey(filepath.Join(a, node.KeyFile))
	if err != nil {
		t.Fatal(err)
	}
	said, err := run(t, "move", out, "--data", a)
	if err != nil || !strings.Contains(said, "epoch_len_ms 3600000 -> 1800000") || !strings.Contains(said, "join FILE") {
		t.Fatalf("move said %q, %v; want what differs and what is next", said, err)
	}
	s := jsonOf[member.Shown](t, "world", "show", "--data", a)
	if s.World == old.ID.String() || len(s.Members) != 0 || s.Problem == "" || s.Self != fmt.Sprintf("%x", key.Public()) {
		t.Errorf("show in the new world = %+v; want no member, by the same key", s)
	}
	if _, err := run(t, "move", filepath.Join(a, "worlds", old.ID.String(), app.WorldFile), "--data", a); err != nil {
		t.Fatal(err)
	}
	if s := jsonOf[member.Shown](t, "world", "show", "--data", a); s.World != old.ID.String() || len(s.Members) != 1 || s.Problem != "" {
		t.Errorf("show back in the old world = %+v; want the member that it was", s)
	}
}

// A founder that moved to a world that nobody has founded founds it where it is, once;
// not if it founded it before, in another directory.
func TestFoundAfterMove(t *testing.T) {
	a, old := alone(t)
	file, out := proposed(t, a), filepath.Join(t.TempDir(), "new.toml")
	if _, err := run(t, "world", "create", "--from", worldPath(a), "--data", a); app.Code(err) != app.ExitUsage || !strings.Contains(err.Error(), "is founded") {
		t.Errorf("founding the world that it is in = %v, want it refused", err)
	}
	if _, err := run(t, "world", "fork", "--rules", file, "--force", "--out", out, "--data", a); err != nil {
		t.Fatal(err)
	}
	if said, err := run(t, "move", out, "--data", a); err != nil || !strings.Contains(said, "world create --from") {
		t.Fatalf("move said %q, %v; want how a founder founds it", said, err)
	}
	for range 2 {
		said, err := run(t, "world", "create", "--from", out, "--data", a)
		if s := jsonOf[member.Shown](t, "world", "show", "--data", a); len(s.Members) != 1 || s.Generation != 1 || s.Problem != "" || s.World == old.ID.String() {
			t.Errorf("show = %+v after %q, %v; want its first member", s, said, err)
		}
	}
	b, _ := alone(t)
	file, out = proposed(t, b), filepath.Join(t.TempDir(), "new.toml")
	if _, err := run(t, "world", "fork", "--rules", file, "--force", "--out", out, "--data-new", filepath.Join(t.TempDir(), "second"), "--listen", local(t), "--data", b); err != nil {
		t.Fatal(err)
	}
	if _, err := run(t, "move", out, "--data", b); err != nil {
		t.Fatal(err)
	}
	if _, err := run(t, "world", "create", "--from", out, "--data", b); app.Code(err) != app.ExitUsage || !strings.Contains(err.Error(), "is founded") {
		t.Errorf("founding it a second time = %v, want it refused", err)
	}
}

// Thresholds that let two bundles be wanted at once, or none ever, are refused
// where they stand.
func TestRulesConfig(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"threshold = 0.75\nepochs = 2\nlasts = 10\n", ""},
		{"threshold = 1\n", ""},
		{"threshold = 0.5\n", ":2: rules.threshold: 0.5: it is more than 0.5"},
		{"epochs = 0\n", ":2: rules.epochs: 0: 1 to"},
		{"lasts = -1\n", ":2: rules.lasts: 0: 1 to"},
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, app.ConfigFile), []byte("[rules]\n"+tt.text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := app.Load(Defaults(), program, dir, nil)
		if (err == nil) != (tt.want == "") || err != nil && (app.Code(err) != app.ExitUsage || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%q: %v, want %q", tt.text, err, tt.want)
		}
	}
}
