package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"
)

type sample struct {
	Name string `toml:"name" doc:"What others see."`
	API  struct {
		Listen  string        `toml:"listen" flag:"listen" doc:"Address of the local API.\nLoopback only."`
		Models  []string      `toml:"models" flag:"model" doc:"Models to offer."`
		Limit   int           `toml:"limit" flag:"limit" doc:"Requests at once."`
		Strict  bool          `toml:"strict_paths" flag:"strict" doc:"Refuse small worlds."`
		Timeout time.Duration `toml:"timeout" flag:"timeout" doc:"Longest request."`
		Key     Secret        `toml:"key" doc:"Key that apps must send."`
	} `toml:"api" doc:"The address your apps talk to."`
	Log struct {
		Level string `toml:"level" doc:"debug, info, warn or error."`
	} `toml:"log"`
}

func defaults() *sample {
	var c sample
	c.Name = "anyone"
	c.API.Listen = "127.0.0.1:8811"
	c.API.Models = []string{"small"}
	c.API.Limit = 8
	c.API.Timeout = 5 * time.Minute
	c.Log.Level = "info"
	return &c
}

func write(t *testing.T, text string, mode fs.FileMode) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.toml")
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	return path
}

func parse(t *testing.T, cfg any, args ...string) *pflag.FlagSet {
	t.Helper()
	flags := pflag.NewFlagSet("test", pflag.ContinueOnError)
	Bind(flags, cfg)
	if err := flags.Parse(args); err != nil {
		t.Fatalf("parsing %v: %v", args, err)
	}
	return flags
}

func TestPrecedence(t *testing.T) {
	file := write(t, `
name = "file"
[api]
listen = "127.0.0.1:1"
models = ["a", "b"]
limit = 1
timeout = "1s"
key = "file"
`, 0o600)
	environ := []string{
		"PATH=/bin", "CULVERT_DATA=/elsewhere", "CULVERT_GATEWAY_API_LIMIT=99",
		"CULVERT_BRIDGE_API_LIMIT=2", "CULVERT_BRIDGE_API_TIMEOUT=2s", "CULVERT_BRIDGE_API_STRICT_PATHS=true",
		"CULVERT_BRIDGE_API_KEY=env", "CULVERT_BRIDGE_NAME=env", "CULVERT_BRIDGE_API_MODELS=c, d,",
	}
	cfg := defaults()
	flags := parse(t, cfg, "--timeout=3s", "--model", "e", "--model", "f,g")
	origins, err := Load(cfg, Options{Program: "bridge", File: file, Environ: environ, Flags: flags})
	if err != nil {
		t.Fatal(err)
	}
	want := defaults()
	want.Name = "env"
	want.API.Listen = "127.0.0.1:1"
	want.API.Models = []string{"e", "f", "g"}
	want.API.Limit = 2
	want.API.Strict = true
	want.API.Timeout = 3 * time.Second
	want.API.Key = NewSecret("env")
	if !reflect.DeepEqual(cfg, want) {
		t.Errorf("Load =\n%+v, want\n%+v", cfg, want)
	}
	wantOrigins := Origins{
		"name": "CULVERT_BRIDGE_NAME", "api.listen": "file", "api.models": "--model",
		"api.limit": "CULVERT_BRIDGE_API_LIMIT", "api.strict_paths": "CULVERT_BRIDGE_API_STRICT_PATHS",
		"api.timeout": "--timeout", "api.key": "CULVERT_BRIDGE_API_KEY", "log.level": "default",
	}
	if !reflect.DeepEqual(origins, wantOrigins) {
		t.Errorf("origins =\n%v, want\n%v", origins, wantOrigins)
	}
}

func TestFlagsThatAreNotGivenChangeNothing(t *testing.T) {
	cfg := defaults()
	flags := parse(t, cfg)
	if _, err := Load(cfg, Options{Program: "bridge", File: write(t, "[api]\nlimit = 3", 0o600), Flags: flags}); err != nil {
		t.Fatal(err)
	}
	if cfg.API.Limit != 3 {
		t.Errorf("limit = %d, want the file's 3", cfg.API.Limit)
	}
	for flag, want := range map[string]string{
		"listen": "127.0.0.1:8811", "model": "small", "limit": "8", "strict": "false", "timeout": "5m",
	} {
		if got := flags.Lookup(flag).DefValue; got != want {
			t.Errorf("default of --%s shown as %q, want %q", flag, got, want)
		}
	}
}

func TestFileErrors(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		want       string // after the file's name
	}{
		{"unknown key", "[api]\nlimit = 1\nlimmit = 2\n", ":3: api.limmit: unknown key"},
		{"unknown top-level key", "nme = \"x\"\n", ":1: nme: unknown key"},
		{"unknown section", "\n[apj]\nlimit = 1\n", ":2: apj: unknown key"},
		{"unknown list of sections", "[[backend]]\nurl = \"x\"\n", ":1: backend: unknown key"},
		{"key below a key", "[name.first]\nx = 1\n", ":1: name.first: unknown key"},
		{"dotted", "api.limit = 1\napi.limmit = 2\n", ":2: api.limmit: unknown key"},
		{"section as value", "api = 1\n", ":1: api: is a section: write [api]"},
		{"section as list", "[[api]]\nlimit = 1\n", ":1: api: is a section: write [api]"},
		{"wrong type", "[api]\n\n# a comment\nlimit = \"8\"\n", ":4: api.limit: must be a value of type int, not a string"},
		{"fraction", "[api]\nlimit = 1.5\n", ":2: api.limit: must be a value of type int, not a number with a fraction"},
		{"duration without unit", "[api]\ntimeout = 5\n", `:2: api.timeout: a duration needs a unit: write "5s", not 5`},
		{"bad duration", "[api]\ntimeout = \"soon\"\n", `:2: api.timeout: "soon" is not a duration such as 30s or 5m`},
		{"mixed list", "[api]\nmodels = [\n  \"a\",\n  1,\n]\n", ":2: api.models: must be a list of strings, but a whole number is in it"},
		{"not a list", "[api]\nmodels = \"a\"\n", ":2: api.models: must be a value of type list of strings, not a string"},
		{"date", "[api]\nlimit = 2020-01-01\n", ":2: api.limit: must be a value of type int, not a date or time"},
		{"syntax", "[api]\nlimit = \n", ":2: api.limit: "},
		{"twice", "[api]\nlimit = 1\nlimit = 2\n", ":3: api.limit: "},
		{"after a long string", "name = \"\"\"\napi\nlimmit = 1\n\"\"\"\n[api]\nlimmit = 2\n", ":6: api.limmit: unknown key"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			file := write(t, tt.text, 0o600)
			_, err := Load(defaults(), Options{Program: "bridge", File: file})
			if _, ok := errors.AsType[*Error](err); !ok {
				t.Fatalf("Load = %v, want an *Error", err)
			}
			if !strings.HasPrefix(err.Error(), file+tt.want) {
				t.Errorf("Load = %v, want %s", err, file+tt.want)
			}
		})
	}
}

func TestOtherErrors(t *testing.T) {
	for _, tt := range []struct{ env, want string }{
		{"CULVERT_BRIDGE_API_LIMITS=1", "CULVERT_BRIDGE_API_LIMITS: unknown variable"},
		{"CULVERT_BRIDGE_API_LIMIT=many", `CULVERT_BRIDGE_API_LIMIT: api.limit: "many" is not a whole number`},
		{"CULVERT_BRIDGE_API_STRICT_PATHS=perhaps", `CULVERT_BRIDGE_API_STRICT_PATHS: api.strict_paths: "perhaps" is not true or false`},
	} {
		_, err := Load(defaults(), Options{Program: "bridge", Environ: []string{tt.env}})
		if err == nil || err.Error() != tt.want {
			t.Errorf("%s: Load = %v, want %s", tt.env, err, tt.want)
		}
	}
	flags := pflag.NewFlagSet("test", pflag.ContinueOnError)
	Bind(flags, defaults())
	if err := flags.Parse([]string{"--limit=many"}); err == nil || !strings.Contains(err.Error(), "--limit") {
		t.Errorf("--limit=many: %v, want an error that names the flag", err)
	}
	if err := flags.Parse([]string{"--strict"}); err != nil {
		t.Errorf("--strict: %v", err)
	}

	missing := filepath.Join(t.TempDir(), "config.toml")
	if _, err := Load(defaults(), Options{Program: "bridge", File: missing}); err != nil {
		t.Errorf("without a file: %v", err)
	}
	if _, err := Load(defaults(), Options{Program: "bridge", File: missing, Required: true}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without a required file: %v, want fs.ErrNotExist", err)
	}
	huge := write(t, strings.Repeat("#\n", maxFile), 0o600)
	if _, err := Load(defaults(), Options{Program: "bridge", File: huge}); err == nil || !strings.Contains(err.Error(), "larger") {
		t.Errorf("huge file: %v", err)
	}
}

// A secret in a file that others can read is no secret.
func TestSecretNeedsPrivateFile(t *testing.T) {
	text := "[api]\nkey = \"hunter2\"\n"
	file := write(t, text, 0o644)
	_, err := Load(defaults(), Options{Program: "bridge", File: file})
	if err == nil || !strings.Contains(err.Error(), ":2: api.key: ") || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("Load = %v, want an error at line 2 without the secret", err)
	}
	cfg := defaults()
	if _, err := Load(cfg, Options{Program: "bridge", File: write(t, text, 0o600)}); err != nil || cfg.API.Key.Reveal() != "hunter2" {
		t.Errorf("Load = %v, key %q", err, cfg.API.Key.Reveal())
	}
	// Others may read a file without one.
	if _, err := Load(defaults(), Options{Program: "bridge", File: write(t, "[api]\nlimit = 1\n", 0o644)}); err != nil {
		t.Errorf("Load = %v", err)
	}
}

type limits struct {
	Low  int `toml:"low" flag:"low" doc:"Least."`
	High int `toml:"high" doc:"Most."`
}

func (l *limits) Validate() error {
	if l.High > 9 {
		return At("high", errTooHigh)
	}
	return nil
}

type valid struct {
	Name   string `toml:"name"`
	Limits limits `toml:"limits"`
}

func (v *valid) Validate() error {
	switch {
	case v.Name == "none":
		return At("name", errors.New("is no name"))
	case v.Limits.Low > v.Limits.High:
		return errors.New("limits.low is above limits.high")
	}
	return nil
}

var errTooHigh = errors.New("too high")

// A value that is wrong beyond its type is blamed on where it stands: file and
// line, variable or flag. It used to be blamed on a flag, wherever it stood.
func TestValidate(t *testing.T) {
	for _, tt := range []struct {
		name, file, env string
		args            []string
		also            error
		want            string // FILE stands for the file's name
	}{
		{name: "fine", file: "[limits]\nhigh = 9\n"},
		{name: "file", file: "[limits]\n\nhigh = 10\n", want: "FILE:3: limits.high: too high"},
		{name: "file, top", file: "# x\nname = \"none\"\n", want: "FILE:2: name: is no name"},
		{name: "variable", env: "CULVERT_X_LIMITS_HIGH=10", want: "CULVERT_X_LIMITS_HIGH: limits.high: too high"},
		{name: "variable over file", file: "name = \"a\"", env: "CULVERT_X_NAME=none", want: "CULVERT_X_NAME: name: is no name"},
		{name: "two values", args: []string{"--low=7"}, want: "limits.low is above limits.high"},
		{name: "also, flag", args: []string{"--low=2"}, also: At("limits.low", errTooHigh), want: "--low: limits.low: too high"},
		{name: "also, file", file: "limits.low = 2", also: At("limits.low", errTooHigh), want: "FILE:1: limits.low: too high"},
		{name: "also, default", also: At("limits.low", errTooHigh), want: "limits.low: too high"},
		{name: "also, no key", also: errTooHigh, want: "too high"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cfg := &valid{Limits: limits{High: 5}}
			file := write(t, tt.file, 0o600)
			_, err := Load(cfg, Options{
				Program: "x", File: file, Environ: []string{tt.env}, Flags: parse(t, cfg, tt.args...),
				Also: func() error { return tt.also },
			})
			want := strings.ReplaceAll(tt.want, "FILE", file)
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || err.Error() != want) {
				t.Errorf("Load = %v, want %s", err, want)
			}
			if strings.HasSuffix(tt.want, "too high") && !errors.Is(err, errTooHigh) {
				t.Errorf("Load = %v, which does not wrap what the check returned", err)
			}
		})
	}
	// A program that filled the struct by itself says where each value is from.
	err := Check(&valid{Limits: limits{High: 10}}, Origins{"limits.high": "--most"})
	if err == nil || err.Error() != "--most: limits.high: too high" {
		t.Errorf("Check = %v, want the flag blamed", err)
	}
	if At("name", nil) != nil {
		t.Error("At of no error is an error")
	}
}

func TestMaskUser(t *testing.T) {
	for in, want := range map[string]string{
		"http://ann:hunter2@host:1/v1": "http://********@host:1/v1",
		"http://hunter2@host":          "http://********@host",
		"http://ann:hunt@r/2@host":     "http://********@host",
		"ann:hunter2@host:11434":       "********@host:11434",
		"http://127.0.0.1:11434":       "http://127.0.0.1:11434",
		"/ip4/127.0.0.1/tcp/4811":      "/ip4/127.0.0.1/tcp/4811",
		"":                             "",
	} {
		cfg := defaults()
		cfg.API.Listen, cfg.API.Models = in, []string{in}
		var b strings.Builder
		if err := Print(&b, cfg, nil); err != nil {
			t.Fatal(err)
		}
		if got := b.String(); !strings.Contains(got, "listen = \""+want+"\"") || !strings.Contains(got, "models = [\""+want+"\"]") {
			t.Errorf("Print of %q = %s, want %q", in, got, want)
		}
		b.Reset()
		if err := Template(&b, cfg, "api.listen"); err != nil || !strings.Contains(b.String(), "\""+in+"\"") {
			t.Errorf("Template of %q = %s, %v; want it whole: the file is read again", in, b.String(), err)
		}
	}
}

func TestTemplate(t *testing.T) {
	var b strings.Builder
	if err := Template(&b, defaults()); err != nil {
		t.Fatal(err)
	}
	want := `# What others see.
# name = "anyone"

# The address your apps talk to.
[api]

# Address of the local API.
# Loopback only.
# listen = "127.0.0.1:8811"

# Models to offer.
# models = ["small"]

# Requests at once.
# limit = 8

# Refuse small worlds.
# strict_paths = false

# Longest request.
# timeout = "5m"

# Key that apps must send.
# key = ""

[log]

# debug, info, warn or error.
# level = "info"
`
	if b.String() != want {
		t.Errorf("Template =\n%s, want\n%s", b.String(), want)
	}
	// It is read as it is.
	cfg := defaults()
	if _, err := Load(cfg, Options{Program: "bridge", File: write(t, want, 0o600)}); err != nil || !reflect.DeepEqual(cfg, defaults()) {
		t.Errorf("reading the template: %+v, %v", cfg, err)
	}
}

func TestTemplateWithKeysSet(t *testing.T) {
	cfg := defaults()
	cfg.API.Key = NewSecret("hunter2")
	var b strings.Builder
	if err := Template(&b, cfg, "log.level", "api.key", "api.timeout", "name", "api.listen", "api.models", "api.limit", "api.strict_paths"); err != nil {
		t.Fatal(err)
	}
	got := &sample{}
	origins, err := Load(got, Options{Program: "bridge", File: write(t, b.String(), 0o600)})
	if err != nil || !reflect.DeepEqual(got, cfg) {
		t.Errorf("reading the template: %+v, %v", got, err)
	}
	for key, from := range origins {
		if from != "file" {
			t.Errorf("%s is from %s", key, from)
		}
	}

	b.Reset()
	if err := Template(&b, cfg, "api.limit"); err != nil {
		t.Fatal(err)
	}
	if got := b.String(); !strings.Contains(got, "\nlimit = 8\n") || !strings.Contains(got, "\n# timeout = ") || strings.Contains(got, "hunter2") {
		t.Errorf("Template with one key set =\n%s", got)
	}
	defer func() {
		if recover() == nil {
			t.Error("Template with a key that does not exist did not panic")
		}
	}()
	_ = Template(&b, cfg, "api.limits")
}

func TestPrint(t *testing.T) {
	cfg := defaults()
	cfg.Name = "a \"b\" \\ \n\x7f é"
	o := Options{Program: "bridge", Environ: []string{"CULVERT_BRIDGE_API_KEY=hunter2"}}
	origins, err := Load(cfg, o)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := Print(&b, cfg, origins); err != nil {
		t.Fatal(err)
	}
	got := b.String()
	for _, want := range []string{
		"listen = \"127.0.0.1:8811\" # default\n", "key = \"********\" # CULVERT_BRIDGE_API_KEY\n", "[log]\nlevel = \"info\" # default\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("Print lacks %q:\n%s", want, got)
		}
	}
	if strings.Contains(got, "hunter2") {
		t.Errorf("Print shows the secret:\n%s", got)
	}
	var doc strings.Builder
	if err := PrintJSON(&doc, cfg, origins); err != nil || strings.Contains(doc.String(), "hunter2") {
		t.Errorf("PrintJSON = %v:\n%s", err, doc.String())
	}
	var all []struct{ Key, Value, Origin any }
	if err := json.Unmarshal([]byte(doc.String()), &all); err != nil {
		t.Fatalf("PrintJSON is no JSON: %v:\n%s", err, doc.String())
	}
	for i, one := range all {
		if one.Key == "name" && one.Value != cfg.Name {
			t.Errorf("entry %d = %v, want the name %q", i, one, cfg.Name)
		}
	}
	again := defaults()
	if _, err := Load(again, Options{Program: "bridge", File: write(t, got, 0o600)}); err != nil || again.Name != cfg.Name {
		t.Errorf("what Print wrote is read as %q, %v; want %q", again.Name, err, cfg.Name)
	}
}

func TestSecretIsNeverShown(t *testing.T) {
	s := NewSecret("hunter2")
	holder := struct {
		Key Secret
		Ptr *Secret
	}{s, &s}
	var b strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%T"} {
		fmt.Fprintf(&b, verb+"\n", s)
		fmt.Fprintf(&b, verb+"\n", holder)
		fmt.Fprintf(&b, verb+"\n", struct{ key Secret }{s})
	}
	log := slog.New(slog.NewJSONHandler(&b, nil))
	log.Info("x", "key", s, "holder", holder)
	slog.New(slog.NewTextHandler(&b, nil)).Info("x", "key", s, "holder", holder)
	j, err := json.Marshal(holder)
	if err != nil {
		t.Fatal(err)
	}
	b.Write(j)
	for _, leak := range []string{"hunter2", "68756e74657232", "aHVudGVyMg"} {
		if strings.Contains(b.String(), leak) {
			t.Errorf("the secret is shown as %q:\n%s", leak, b.String())
		}
	}
	if !s.Equal("hunter2") || s.Equal("hunter3") || !s.Set() || (Secret{}).Set() || (Secret{}).String() != "" {
		t.Error("Equal, Set or String of a secret is wrong")
	}
}

func TestMistakesOfTheProgramPanic(t *testing.T) {
	for name, cfg := range map[string]any{
		"not a pointer": sample{},
		"no tag":        &struct{ A string }{},
		"type": &struct {
			A float32 `toml:"a"`
		}{},
		"secret flag": &struct {
			A Secret `toml:"a" flag:"a"`
		}{},
		"two levels": &struct {
			A struct {
				B struct {
					C string `toml:"c"`
				} `toml:"b"`
			} `toml:"a"`
		}{},
		"twins": &struct {
			A struct {
				B string `toml:"b_c"`
			} `toml:"a"`
			C struct {
				D string `toml:"c"`
			} `toml:"a_b"`
		}{},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: Load did not panic", name)
				}
			}()
			_, _ = Load(cfg, Options{Program: "x"})
		}()
	}
}

// The file is the user's, but may be any file.
func FuzzLoad(f *testing.F) {
	f.Add("[api]\nlimit = 1\nmodels = [\"a\"]\n")
	f.Add("name = \"\"\"\nx\"\"\"\n[log]\nlevel = 'info'\n")
	f.Add("api.limit = 1\n\"api\".x = 2\n")
	f.Add("[[api]]\n[api.x]\n")
	f.Add("= 1")
	f.Add("name = \"@\"\n[api]\nmodels = [\"http://a:b@c\"]\n")
	path := filepath.Join(f.TempDir(), "config.toml")
	f.Fuzz(func(t *testing.T, text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		cfg := defaults()
		if _, err := Load(cfg, Options{Program: "bridge", File: path}); err != nil {
			if e, ok := errors.AsType[*Error](err); ok && e.Line > strings.Count(text, "\n")+1 {
				t.Errorf("error is at line %d of %q", e.Line, text)
			}
			return
		}
		var b strings.Builder
		if err := Print(&b, cfg, nil); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		again := defaults()
		if _, err := Load(again, Options{Program: "bridge", File: path}); err != nil {
			t.Fatalf("reading %q, printed for %q: %v", b.String(), text, err)
		}
		for _, c := range []*sample{cfg, again} { // what is masked reads back as asterisks
			c.API.Key, c.Name = Secret{}, maskUser(c.Name)
			for i, m := range c.API.Models {
				c.API.Models[i] = maskUser(m)
			}
		}
		if !reflect.DeepEqual(cfg, again) {
			t.Errorf("%+v, printed and read again, is %+v", cfg, again)
		}
	})
}

type common struct {
	URL string `toml:"url" flag:"url" show:"host" doc:"Where."`
}

func (c *common) Validate() error {
	if c.URL == "no" {
		return At("url", errors.New("is none"))
	}
	return nil
}

type special struct {
	common
	More int `toml:"more" doc:"How much more."`
}

// What two programs have in common in a section is embedded in it.
func TestEmbedded(t *testing.T) {
	type whole struct {
		Chain special `toml:"chain" doc:"The chain."`
	}
	cfg := &whole{}
	file := write(t, "[chain]\nurl = \"https://host/v3/s3cr3t?k=s3cr3t\"\nmore = 2\n", 0o600)
	origins, err := Load(cfg, Options{Program: "x", File: file, Environ: []string{"CULVERT_X_CHAIN_MORE=3"}})
	if err != nil || cfg.Chain.URL != "https://host/v3/s3cr3t?k=s3cr3t" || cfg.Chain.More != 3 || origins["chain.url"] != "file" {
		t.Fatalf("%+v, %v, %v", cfg, origins, err)
	}
	var b strings.Builder
	if err := errors.Join(Print(&b, cfg, origins), PrintJSON(&b, cfg, origins)); err != nil || strings.Contains(b.String(), "s3cr3t") || strings.Count(b.String(), "https://host/********") != 2 {
		t.Errorf("%v: %s", err, b.String())
	}
	if _, err := Load(&whole{}, Options{Program: "x", File: write(t, "[chain]\nurl = \"no\"\n", 0o600)}); err == nil || !strings.HasSuffix(err.Error(), ":2: chain.url: is none") {
		t.Errorf("%v", err)
	}
	for in, want := range map[string]string{
		"http://127.0.0.1:8545": "http://127.0.0.1:8545", "http://127.0.0.1:8545/": "http://127.0.0.1:8545/",
		"https://a:b@host/key": "https://********@host/********", "host?key": "host/********", "": "",
	} {
		if got := (&field{host: true}).mask(in); got != want {
			t.Errorf("%q is shown as %q, want %q", in, got, want)
		}
	}
}
