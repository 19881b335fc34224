package wallet

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/culvert-net/culvert/internal/app"
	v3 "github.com/culvert-net/culvert/internal/app/wallet/v3"
	"github.com/culvert-net/culvert/internal/config"
	"github.com/culvert-net/culvert/ledger"
)

// canary is a key, and phrase a passphrase, that must never be seen.
const (
	canary = "c0ffee1122334455667788990011223344556677889900112233445566778899"
	phrase = "canary passphrase"
)

// environment is one that holds these variables.
func environment(pairs ...string) func(string) string {
	return func(name string) string {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1]
			}
		}
		return ""
	}
}

// configOf is that of a bridge whose passphrase is in the environment.
func configOf(dir string, pairs ...string) Config {
	return Config{
		Data: dir, Sessions: true, Cost: v3.Cost{N: 2, R: 8, P: 1}, New: "bridge wallet new",
		From: &Passphrases{Flag: "--passphrase-file", Env: environment(append(pairs, PassphraseVariable, phrase)...), In: strings.NewReader(""), Err: new(bytes.Buffer)},
	}
}

func canaryKey(t testing.TB) *ledger.Key {
	t.Helper()
	k, err := ParseKey(canary)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func path() SessionPath {
	return SessionPath{Domain: ledger.Domain{ChainID: 31337, Contract: ledger.Address{0: 0xc0, 19: 1}}, Provider: ledger.Address{0: 0xaa}}
}

// What is made is opened again, and gives the same session keys after a restart
// and out of a backup.
func TestCreateAndOpen(t *testing.T) {
	dir := t.TempDir()
	c := configOf(dir)
	if _, err := Open(t.Context(), c); !errors.Is(err, ErrNone) || !strings.Contains(err.Error(), "bridge wallet new") {
		t.Fatalf("without a wallet: %v, want ErrNone and how one is made", err)
	}
	info, err := Create(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{info.File, info.SessionFile} {
		if i, err := os.Stat(p); err != nil || i.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v; want mode 0600", p, i.Mode(), err)
		}
	}
	if i, err := os.Stat(filepath.Dir(info.File)); err != nil || i.Mode().Perm() != 0o700 {
		t.Errorf("keystore: %v, %v; want mode 0700", i.Mode(), err)
	}
	w, err := Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if w.Key().Address() != info.Address {
		t.Errorf("opened %s, made %s", w.Key().Address(), info.Address)
	}
	one, err := w.Session(path())
	if err != nil {
		t.Fatal(err)
	}
	if one.Address() == w.Key().Address() {
		t.Error("the session key is the wallet's")
	}

	backup := t.TempDir()
	if err := os.CopyFS(filepath.Join(backup, Dir), os.DirFS(filepath.Join(dir, Dir))); err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{"", walletFile, rootFile} {
		mode := fs.FileMode(0o600)
		if p == "" {
			mode = 0o700
		}
		if err := os.Chmod(filepath.Join(backup, Dir, p), mode); err != nil {
			t.Fatal(err)
		}
	}
	again, err := Open(t.Context(), configOf(backup))
	if err != nil {
		t.Fatal(err)
	}
	if two, err := again.Session(path()); err != nil || two.Address() != one.Address() {
		t.Errorf("the backup gives another session key: %v, %v", two, err)
	}

	// A gateway has the key, and no session root.
	g := configOf(t.TempDir())
	g.Sessions = false
	if info, err = Create(t.Context(), g); err != nil || info.SessionFile != "" {
		t.Fatalf("%+v, %v", info, err)
	}
	if _, err := os.Stat(keystoreOf(g.Data).root()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a gateway has a session root: %v", err)
	}
	if w, err := Open(t.Context(), g); err != nil || w.Key().Address() != info.Address {
		t.Errorf("%v", err)
	}
}

// Each difference in a path gives another key.
func TestSessionKeysAreApart(t *testing.T) {
	root := rootOf(canaryKey(t))
	p := path()
	seen := make(map[ledger.Address]string)
	for name, q := range map[string]SessionPath{
		"it":                   p,
		"chain":                {Domain: ledger.Domain{ChainID: 1, Contract: p.Domain.Contract}, Provider: p.Provider},
		"contract":             {Domain: ledger.Domain{ChainID: 31337}, Provider: p.Provider},
		"provider":             {Domain: p.Domain, Provider: ledger.Address{0: 0xab}},
		"counter":              {Domain: p.Domain, Provider: p.Provider, Counter: 1},
		"counter and its jump": {Domain: p.Domain, Provider: p.Provider, Counter: 1 + 1<<20},
		"group":                {Domain: p.Domain, Provider: p.Provider, Group: "kids"},
		"group of zeros":       {Domain: p.Domain, Provider: p.Provider, Group: "\x00"},
	} {
		k, err := root.Session(q)
		if err != nil {
			t.Fatal(err)
		}
		if other, ok := seen[k.Address()]; ok {
			t.Errorf("%s and %s have one key", name, other)
		}
		seen[k.Address()] = name
	}
	if _, err := root.Session(SessionPath{Group: strings.Repeat("x", maxGroup+1)}); err == nil {
		t.Error("a group of 256 bytes is taken")
	}
}

// Whatever goes wrong, an existing key stays, and what is said tells what to do.
func TestRefused(t *testing.T) {
	dir := t.TempDir()
	info, err := Create(t.Context(), configOf(dir))
	if err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(info.File)
	if err != nil {
		t.Fatal(err)
	}
	edit := func(old, text string) func(*testing.T) {
		return func(t *testing.T) {
			out := strings.Replace(string(before), old, text, 1)
			if out == string(before) {
				t.Fatalf("%s is not in %s", old, before)
			}
			if err := os.WriteFile(info.File, []byte(out), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	opened := func(c Config) error { _, err := Open(t.Context(), c); return err }
	for _, tt := range []struct {
		name    string
		prepare func(*testing.T)
		do      func(Config) error
		pairs   []string
		code    int
		says    string
	}{
		{name: "new", do: func(c Config) error { _, err := Create(t.Context(), c); return err }, code: app.ExitRefused, says: "never overwritten"},
		{name: "import", do: func(c Config) error { _, err := Import(t.Context(), c, canaryKey(t)); return err }, code: app.ExitRefused, says: "never overwritten"},
		{name: "other passphrase", do: opened, pairs: []string{PassphraseVariable, "another one"}, code: app.ExitUsage, says: "Try again"},
		{name: "half of the file", prepare: func(t *testing.T) {
			if err := os.WriteFile(info.File, before[:len(before)/2], 0o600); err != nil {
				t.Fatal(err)
			}
		}, do: opened, code: app.ExitUsage, says: "Restore it from its backup"},
		{name: "version", prepare: edit(`"version":3`, `"version":1`), do: opened, code: app.ExitUsage, says: "this program reads 3"},
		{name: "other's address", prepare: edit(`"address":"`, `"address":"0000000000000000000000000000000000000000","x":"`), do: opened, code: app.ExitUsage, says: "it says that it holds"},
		{name: "open to others", prepare: func(t *testing.T) {
			if err := os.Chmod(info.File, 0o640); err != nil {
				t.Fatal(err)
			}
		}, do: opened, code: app.ExitRefused, says: "chmod 600"},
		{name: "directory open to others", prepare: func(t *testing.T) {
			if err := os.Chmod(filepath.Dir(info.File), 0o755); err != nil {
				t.Fatal(err)
			}
		}, do: opened, code: app.ExitRefused, says: "chmod 700"},
		{name: "root is gone", prepare: func(t *testing.T) {
			if err := os.Remove(info.SessionFile); err != nil {
				t.Fatal(err)
			}
		}, do: opened, code: app.ExitUsage, says: "session.json is missing"},
		{name: "root is a wallet", prepare: func(t *testing.T) {
			if err := os.WriteFile(info.SessionFile, before, 0o600); err != nil {
				t.Fatal(err)
			}
		}, do: opened, code: app.ExitUsage, says: "no session root"},
		{name: "two wallets", do: opened, pairs: []string{KeyVariable, canary}, code: app.ExitRefused, says: "two wallets"},
		{name: "new beside the environment's", do: func(c Config) error { _, err := Create(t.Context(), c); return err }, pairs: []string{KeyVariable, canary}, code: app.ExitUsage, says: "unset"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			root, err := os.ReadFile(info.SessionFile)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				for p, text := range map[string][]byte{info.File: before, info.SessionFile: root} {
					if err := errors.Join(os.WriteFile(p, text, 0o600), os.Chmod(p, 0o600)); err != nil {
						t.Fatal(err)
					}
				}
				if err := os.Chmod(filepath.Dir(info.File), 0o700); err != nil {
					t.Fatal(err)
				}
			})
			if tt.prepare != nil {
				tt.prepare(t)
			}
			now, err := os.ReadFile(info.File)
			if err != nil {
				t.Fatal(err)
			}
			err = tt.do(configOf(dir, tt.pairs...))
			if app.Code(err) != tt.code || err == nil || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("code %d, want %d that says %q: %v", app.Code(err), tt.code, tt.says, err)
			}
			hidden(t, fmt.Sprintf("%v %+v %#v", err, err, err))
			if after, err := os.ReadFile(info.File); err != nil || !bytes.Equal(after, now) {
				t.Errorf("the file was changed: %v", err)
			}
		})
	}
}

// hidden fails if a canary is in what somebody sees.
func hidden(t *testing.T, said string) {
	t.Helper()
	n, _ := new(big.Int).SetString(canary, 16)
	raw, _ := hex.DecodeString(canary)
	for _, form := range []string{canary, n.String(), string(raw), phrase} {
		if strings.Contains(strings.ToLower(said), form) {
			t.Errorf("a secret is in: %s", said)
		}
	}
}

// A wallet new that was cut short after its first file is completed by the next.
func TestCutShort(t *testing.T) {
	c := configOf(t.TempDir())
	k := keystoreOf(c.Data)
	if err := k.make(k.dir); err != nil {
		t.Fatal(err)
	}
	if err := k.ensureRoot(config.NewSecret(phrase), c.Cost); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(k.root())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Create(t.Context(), configOf(c.Data, PassphraseVariable, "another one")); app.Code(err) != app.ExitUsage {
		t.Fatalf("with another passphrase: %v; one passphrase opens all", err)
	}
	if _, err := Create(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	if after, err := os.ReadFile(k.root()); err != nil || !bytes.Equal(before, after) {
		t.Errorf("the root was replaced: %v", err)
	}
}

// A container's wallet is one variable, without files and passphrase, and its
// session keys are the same at each start.
func TestKeyFromTheEnvironment(t *testing.T) {
	c := configOf(t.TempDir())
	c.From.Env = environment(KeyVariable, "0x"+canary+"\n")
	var addresses []ledger.Address
	for range 2 {
		w, err := Open(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		if w.Key().Address() != canaryKey(t).Address() {
			t.Errorf("it is %s", w.Key())
		}
		k, err := w.Session(path())
		if err != nil {
			t.Fatal(err)
		}
		addresses = append(addresses, k.Address())
	}
	if addresses[0] != addresses[1] {
		t.Error("a restart changes the session key")
	}
	if left, err := os.ReadDir(c.Data); err != nil || len(left) > 0 {
		t.Errorf("written: %v, %v", left, err)
	}
	if info, err := Look(c); err != nil || info.File != "" || info.Address != canaryKey(t).Address() {
		t.Errorf("Look = %+v, %v", info, err)
	}
	for _, bad := range []string{canary[1:], canary + "00", "zz" + canary[2:], strings.Repeat("0", 64), strings.Repeat("f", 64)} {
		c.From.Env = environment(KeyVariable, bad)
		_, err := Open(t.Context(), c)
		if app.Code(err) != app.ExitUsage || !strings.Contains(err.Error(), KeyVariable) || strings.Contains(err.Error(), bad) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// A session key goes to another machine, where it signs for the same channel, and
// nothing else of the wallet goes with it.
func TestSessionExport(t *testing.T) {
	c := configOf(t.TempDir())
	if _, err := Create(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	w, err := Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "laptop.json")
	const other = "another passphrase"
	info, err := ExportSession(w, path(), out, config.NewSecret(other), c.Cost)
	if err != nil {
		t.Fatal(err)
	}
	key, err := w.Session(path())
	if err != nil {
		t.Fatal(err)
	}
	want := ledger.ChannelOf(path().Provider, key.Address(), w.Key().Address())
	if info.Channel != want || info.Key != key.Address() || !strings.Contains(info.spends(), want.String()) {
		t.Errorf("%+v, want channel %s", info, want)
	}
	if _, err := ExportSession(w, path(), out, config.NewSecret(other), c.Cost); app.Code(err) != app.ExitRefused {
		t.Errorf("over a file that is there: %v", err)
	}

	// The other machine has no wallet; or has one, whose passphrase is its own.
	for _, has := range []bool{false, true} {
		there := configOf(t.TempDir())
		if has {
			if _, err := Create(t.Context(), there); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := ImportSession(t.Context(), there, out, config.NewSecret(phrase)); app.Code(err) != app.ExitUsage {
			t.Errorf("by the wrong passphrase: %v", err)
		}
		got, err := ImportSession(t.Context(), there, out, config.NewSecret(other))
		if err != nil {
			t.Fatal(err)
		}
		if got.Channel != want || got.Funder != w.Key().Address() || got.ChainID != 31337 {
			t.Errorf("imported %+v", got)
		}
		if _, err := ImportSession(t.Context(), there, out, config.NewSecret(other)); app.Code(err) != app.ExitRefused {
			t.Errorf("twice: %v", err)
		}
		if !has {
			look, err := Look(there)
			if err != nil || !look.Address.IsZero() || len(look.Sessions) != 1 {
				t.Errorf("without a wallet: %+v, %v", look, err)
			}
			alone, err := Open(t.Context(), there)
			if err != nil || alone.Key() != nil || len(alone.Brought()) != 1 {
				t.Fatalf("without a wallet: %+v, %v", alone, err)
			}
			if _, err := alone.Session(path()); !errors.Is(err, ErrNone) {
				t.Errorf("a session key out of nothing: %v", err)
			}
			if _, err := ExportSession(alone, path(), out+"2", config.NewSecret(other), c.Cost); !errors.Is(err, ErrNone) {
				t.Errorf("export: %v", err)
			}
			if _, err := Create(t.Context(), there); err != nil { // afterwards is fine too
				t.Fatal(err)
			}
		}
		look, err := Look(there)
		if err != nil || len(look.Sessions) != 1 || look.Sessions[0] != got {
			t.Errorf("Look = %+v, %v; want %+v", look, err, got)
		}
		opened, err := Open(t.Context(), there)
		if err != nil {
			t.Fatal(err)
		}
		if b := opened.Brought(); len(b) != 1 || b[0].Channel() != want || b[0].Key.Address() != key.Address() {
			t.Errorf("Brought = %+v", b)
		}
	}
	if _, err := ImportSession(t.Context(), configOf(t.TempDir()), keystoreOf(c.Data).wallet(), config.NewSecret(phrase)); !errors.Is(err, errNoSession) {
		t.Errorf("a wallet's own file: %v", err)
	}
	if _, err := readKey(t.Context(), out, c.From); err == nil || !strings.Contains(err.Error(), "session import") {
		t.Errorf("a session key as a wallet: %v", err)
	}
	if _, err := readKey(t.Context(), keystoreOf(c.Data).root(), c.From); err == nil || !strings.Contains(err.Error(), "backup") {
		t.Errorf("the root as a wallet: %v", err)
	}
}

func TestNothingIsShown(t *testing.T) {
	key := canaryKey(t)
	secret := key.Secret()
	root := Root{secret: &secret}
	w := &Wallet{key: key, root: &root, sessions: []Session{{Key: key}}}
	var out bytes.Buffer
	for _, v := range []any{root, &root, w, *w, struct{ R Root }{root}, struct{ W *Wallet }{w}, w.sessions, w.sessions[0]} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d", "%q"} {
			fmt.Fprintf(&out, verb+"\n", v)
		}
		slog.New(slog.NewTextHandler(&out, nil)).Info("x", "v", v)
		slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "v", v)
	}
	hidden(t, out.String())
	if _, err := json.Marshal(root); err == nil {
		t.Error("a root is written as JSON")
	}
	if _, err := json.Marshal(w.sessions); err == nil {
		t.Error("a session key is written as JSON")
	}
}

func TestPassphrases(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string, mode fs.FileMode) string {
		p := filepath.Join(dir, name)
		if err := errors.Join(os.WriteFile(p, []byte(text), mode), os.Chmod(p, mode)); err != nil {
			t.Fatal(err)
		}
		return p
	}
	good := file("good", phrase+"\n", 0o600)
	file(Credential, "from systemd"+"\r\n", 0o440)
	for _, tt := range []struct {
		name, file string
		env        []string
		fresh      bool
		want       string
		code       int
		says       string
	}{
		{name: "file", file: good, env: []string{PassphraseVariable, "x"}, want: phrase},
		{name: "variable", env: []string{PassphraseVariable, "from variable", credentialDirectory, dir}, want: "from variable"},
		{name: "credential", env: []string{credentialDirectory, dir}, want: "from systemd"},
		{name: "no credential there", env: []string{credentialDirectory, t.TempDir()}, code: app.ExitUsage, says: "no terminal"},
		{name: "nothing", code: app.ExitUsage, says: "--passphrase-file FILE, in CULVERT_PASSPHRASE"},
		{name: "new one", file: good, fresh: true, want: phrase},
		{name: "short", env: []string{PassphraseVariable, "1234567"}, fresh: true, code: app.ExitUsage, says: "shorter than 8"},
		{name: "short, but old", env: []string{PassphraseVariable, "1"}, want: "1"},
		{name: "no file", file: filepath.Join(dir, "none"), code: app.ExitUsage, says: "--passphrase-file"},
		{name: "open to others", file: file("open", phrase, 0o644), code: app.ExitRefused, says: "chmod 600"},
		{name: "empty", file: file("empty", "\n", 0o600), code: app.ExitUsage, says: "empty"},
		{name: "two lines", file: file("lines", phrase+"\n"+phrase+"\n", 0o600), code: app.ExitUsage, says: "one line"},
		{name: "a picture", file: file("long", strings.Repeat("x", 5000), 0o600), code: app.ExitUsage, says: "right file"},
		{name: "longest", file: file("longest", strings.Repeat("x", maxPassphrase)+"\r\n", 0o600), want: strings.Repeat("x", maxPassphrase)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := &Passphrases{File: tt.file, Flag: "--passphrase-file", Env: environment(tt.env...), In: strings.NewReader("typed\n"), Err: new(bytes.Buffer)}
			get := p.existing
			if tt.fresh {
				get = p.fresh
			}
			got, err := get(t.Context(), "it")
			if app.Code(err) != tt.code || err != nil && !strings.Contains(err.Error(), tt.says) || err == nil && got.Reveal() != tt.want {
				t.Errorf("%q, %v; want %q, or code %d that says %q", got.Reveal(), err, tt.want, tt.code, tt.says)
			}
			if err != nil {
				hidden(t, err.Error())
			}
		})
	}
}

// program is a command line with a wallet, as bridge and gateway have it.
func program(dir string, sessions bool) *cobra.Command {
	root := &cobra.Command{Use: "bridge", SilenceErrors: true, SilenceUsage: true}
	root.AddCommand(Program{
		Name: "bridge", Data: func() (string, error) { return dir, nil }, Sessions: sessions,
		Sandbox: func(string) bool { return true },
		Domain:  func(string) (ledger.Domain, error) { return path().Domain, nil },
	}.Command())
	return root
}

// run runs a command line and returns all that is seen of it.
func run(ctx context.Context, dir, stdin string, args ...string) (out string, seen string, err error) {
	var stdout, stderr bytes.Buffer
	cmd := program(dir, true)
	cmd.SetArgs(append([]string{"wallet"}, args...))
	cmd.SetIn(strings.NewReader(stdin))
	cmd.SetOut(&stdout)
	cmd.SetErr(&stderr)
	err = cmd.ExecuteContext(ctx)
	return stdout.String(), stdout.String() + stderr.String() + fmt.Sprint(err), err
}

// The whole way by command lines: two machines, one channel, and no secret shown.
func TestCommands(t *testing.T) {
	t.Setenv(PassphraseVariable, phrase)
	t.Setenv(KeyVariable, "")
	dir, other := t.TempDir(), t.TempDir()
	must := func(dir, stdin string, args ...string) string {
		t.Helper()
		out, seen, err := run(t.Context(), dir, stdin, args...)
		if err != nil {
			t.Fatalf("%v: %v", args, err)
		}
		hidden(t, seen)
		return out
	}
	if _, seen, err := run(t.Context(), dir, canary[:60], "import", "-"); app.Code(err) != app.ExitUsage || strings.Contains(seen, canary[:60]) {
		t.Fatalf("a key that is cut: %v", err)
	}
	out := must(dir, canary+"\n", "import", "-")
	address := canaryKey(t).Address().String()
	if !strings.Contains(out, address) || !strings.Contains(out, "Back up") {
		t.Errorf("import says %s", out)
	}
	var info Info
	if err := json.Unmarshal([]byte(must(dir, "", "show", "--json")), &info); err != nil || info.Address != canaryKey(t).Address() || info.File != keystoreOf(dir).wallet() {
		t.Errorf("show: %+v, %v", info, err)
	}
	if _, seen, err := run(t.Context(), dir, "", "new"); app.Code(err) != app.ExitRefused {
		t.Errorf("new over it: %s", seen)
	}

	provider := ledger.Address{0: 0xaa}
	pass := filepath.Join(t.TempDir(), "pass")
	if err := os.WriteFile(pass, []byte("of the export\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "laptop.json")
	out = must(dir, "", "session", "export", "--provider", provider.String(), "--out", file, "--file-passphrase-file", pass)
	if !strings.Contains(out, "can spend all that is in channel 0x") {
		t.Errorf("export says %s", out)
	}
	// Its passphrase is never the wallet's by accident.
	if _, _, err := run(t.Context(), dir, "", "session", "export", "--provider", provider.String(), "--out", file+"2"); app.Code(err) != app.ExitUsage || strings.Contains(err.Error(), PassphraseVariable) {
		t.Errorf("export without a passphrase of its own: %v", err)
	}
	must(other, "", "session", "import", file, "--file-passphrase-file", pass)
	// That machine makes a wallet of another keystore file.
	sealed := filepath.Join(t.TempDir(), "UTC--x")
	if err := writeKey(sealed, ledger.NewKey(), config.NewSecret("of the export"), v3.Cost{N: 2, R: 8, P: 1}, nil); err != nil {
		t.Fatal(err)
	}
	must(other, "", "import", sealed, "--file-passphrase-file", pass)
	if out := must(other, "", "show"); !strings.Contains(out, "Brought") || !strings.Contains(out, address) {
		t.Errorf("show says %s", out)
	}
	for _, args := range [][]string{
		{"session", "export", "--out", file},
		{"session", "export", "--provider", "0x12", "--out", "x"},
		{"session", "export", "--provider", provider.String()},
		{"import", filepath.Join(dir, "none")},
		{"session", "import", filepath.Join(dir, "none")},
	} {
		if _, seen, err := run(t.Context(), dir, "", args...); app.Code(err) != app.ExitUsage && app.Code(err) != app.ExitRefused {
			t.Errorf("%v: %s", args, seen)
		}
	}
	// No secret is in any file.
	for _, d := range []string{dir, other} {
		err := filepath.WalkDir(d, func(p string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return err
			}
			text, err := os.ReadFile(p)
			hidden(t, string(text))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// A daemon that has the data directory is no hindrance, and is named.
func TestNewBesideADaemon(t *testing.T) {
	t.Setenv(PassphraseVariable, phrase)
	t.Setenv(KeyVariable, "")
	dir := t.TempDir()
	data, err := app.OpenData(dir, "bridge")
	if err != nil {
		t.Fatal(err)
	}
	defer data.Close()
	_, seen, err := run(t.Context(), dir, "", "new")
	if err != nil || !strings.Contains(seen, "from its next start on") {
		t.Errorf("%s", seen)
	}
	foreign := t.TempDir()
	g, err := app.OpenData(foreign, "gateway")
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	if _, seen, err := run(t.Context(), foreign, "", "new"); app.Code(err) != app.ExitUsage || !strings.Contains(seen, "gateway") {
		t.Errorf("in another program's directory: %s", seen)
	}
}
