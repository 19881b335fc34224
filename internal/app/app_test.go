package app_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/culvert-net/culvert/internal/app"
)

func TestCode(t *testing.T) {
	base := errors.New("x")
	for _, tt := range []struct {
		err  error
		want int
	}{
		{nil, 0},
		{base, 1},
		{app.Usage(base), 2},
		{fmt.Errorf("more: %w", app.NotReady(base)), 3},
		{errors.Join(app.Refused(base), base), 4},
	} {
		if got := app.Code(tt.err); got != tt.want || tt.err != nil && !errors.Is(tt.err, base) {
			t.Errorf("Code(%v) = %d, want %d and the cause kept", tt.err, got, tt.want)
		}
	}
}

func TestMainReports(t *testing.T) {
	for _, tt := range []struct {
		name string
		args []string
		run  error
		code int
		want string
	}{
		{"fine", nil, nil, 0, ""},
		{"failed", nil, errors.New("disk is full"), 1, "tool: disk is full\n"},
		{"refused", nil, app.Refused(errors.New("others could reach it")), 4, "tool: others could reach it\n"},
		{"unknown flag", []string{"--nonsense"}, nil, 2, "See tool --help."},
		{"argument too many", []string{"x"}, nil, 2, "tool takes flags only, and \"x\" is none\nSee tool --help."},
		{"mistake in a file", nil, app.Usage(errors.New("x.toml: cut")), 2, "tool: x.toml: cut\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var said bytes.Buffer
			root := &cobra.Command{Use: "tool", RunE: func(*cobra.Command, []string) error { return tt.run }}
			root.SetArgs(append([]string{}, tt.args...))
			root.SetErr(&said)
			if code := app.Main(root); code != tt.code || !strings.Contains(said.String(), tt.want) {
				t.Errorf("Main = %d, said %q; want %d and %q", code, said.String(), tt.code, tt.want)
			}
			// Help cannot help with what is in a file.
			if strings.Contains(said.String(), "--help") != (len(tt.args) > 0) {
				t.Errorf("said %q; want help named for the command line alone", said.String())
			}
		})
	}
}

// What is not understood is refused with 2 at every level; it used to be
// answered with help and 0 below the first.
func TestCommandLine(t *testing.T) {
	for _, tt := range []struct {
		args []string
		code int
		want string
	}{
		{nil, 0, ""},
		{[]string{"config"}, 0, ""},
		{[]string{"config", "check"}, 0, ""},
		{[]string{"serv"}, 2, "tool has no command \"serv\"; did you mean serve?\nSee tool --help."},
		{[]string{"config", "chek"}, 2, "tool config has no command \"chek\"; did you mean check?\nSee tool config --help."},
		{[]string{"config", "xyzzy"}, 2, "tool config has no command \"xyzzy\"\n"},
		{[]string{"serve", "world.toml"}, 2, "tool serve takes flags only, and \"world.toml\" is none\nSee tool serve --help."},
		{[]string{"add", "laptop"}, 0, ""},
		{[]string{"add"}, 2, "tool add: NAME is missing\nSee tool add --help."},
		{[]string{"add", "my", "laptop"}, 2, "tool add takes one NAME, and \"laptop\" is another"},
		{[]string{"serve", "--relays", "abc"}, 2, "--relays: \"abc\" is not a whole number\n"},
		{[]string{"serve", "--epoch", "soon"}, 2, "--epoch: \"soon\" is not a duration such as 30s or 5m\n"},
		{[]string{"serve", "--tokens", "many"}, 2, "--tokens: \"many\" is not a whole number\n"},
		{[]string{"serve", "--relays"}, 2, "--relays"},
		{[]string{"completion", "bash"}, 0, ""},
	} {
		t.Run(strings.Join(tt.args, " "), func(t *testing.T) {
			var said bytes.Buffer
			nothing := func(*cobra.Command, []string) error { return nil }
			root := &cobra.Command{Use: "tool"}
			serve := &cobra.Command{Use: "serve", RunE: nothing}
			serve.Flags().Int("relays", 3, "")
			serve.Flags().Int64("tokens", 0, "")
			serve.Flags().Duration("epoch", 0, "")
			group := &cobra.Command{Use: "config"}
			group.AddCommand(&cobra.Command{Use: "check", RunE: nothing})
			root.AddCommand(serve, group, &cobra.Command{Use: "add NAME", Args: app.OneArgument("NAME"), RunE: nothing})
			root.SetArgs(append([]string{}, tt.args...))
			root.SetOut(io.Discard)
			root.SetErr(&said)
			if code := app.Main(root); code != tt.code || !strings.Contains(said.String(), tt.want) || strings.Contains(said.String(), "strconv") {
				t.Errorf("Main(%q) = %d, said %q; want %d and %q", tt.args, code, said.String(), tt.code, tt.want)
			}
		})
	}
}

func TestWords(t *testing.T) {
	for want, got := range map[string]string{
		"0 relays": app.Count(0, "relay"), "1 relay": app.Count(1, "relay"), "2 relays": app.Count(2, "relay"),
		"bin/gateway serve --data /tmp/x":       app.Shell("bin/gateway", "serve", "--data", "/tmp/x"),
		`gateway --data '/tmp/it'\''s here' ''`: app.Shell("gateway", "--data", "/tmp/it's here", ""),
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// What is said to be typed next is what was typed: the program by the name it was
// called by, and the directory that was named.
func TestLines(t *testing.T) {
	for _, tt := range []struct {
		args  []string
		want  string
		named bool
	}{
		{nil, app.Shell(os.Args[0], "serve"), false},
		{[]string{"--data", "x"}, app.Shell(os.Args[0], "serve", "--data", "/my data"), true},
	} {
		cmd := &cobra.Command{Use: "tool"}
		cmd.Flags().String("data", "", "")
		if err := cmd.ParseFlags(tt.args); err != nil {
			t.Fatal(err)
		}
		lines := app.NewLines(cmd, "/my data")
		if got := lines.Line("serve"); got != tt.want || lines.Named() != tt.named {
			t.Errorf("%q: %s, named %v; want %s, %v", tt.args, got, lines.Named(), tt.want, tt.named)
		}
	}
}

// A directory that cannot be made is the wrong one.
func TestOpenDataNowhere(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := app.OpenData(filepath.Join(file, "data"), "bridge"); app.Code(err) != app.ExitUsage || !strings.Contains(err.Error(), "--data") {
		t.Errorf("OpenData below a file = %v, want exit code 2 and what to do", err)
	}
}

// The directory of another program is named as such, not by the settings in it
// that this one does not know.
func TestLoadFromAnothersData(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"FORMAT": "bridge 1\n", app.ConfigFile: "[api]\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	_, err := app.Load(&struct{}{}, "gateway", dir, nil)
	if app.Code(err) != app.ExitUsage || !strings.Contains(err.Error(), "this is the data directory of \"bridge\", not of gateway") {
		t.Errorf("Load = %v, want whose directory that is", err)
	}
}

func TestDataDir(t *testing.T) {
	t.Setenv("CULVERT_DATA", "")
	t.Setenv("XDG_STATE_HOME", "/state")
	for _, tt := range []struct{ flag, env, want string }{
		{"/flag", "/env", "/flag"},
		{"", "/env", "/env"},
		{"", "", "/state/culvert/bridge"},
	} {
		t.Setenv("CULVERT_DATA", tt.env)
		if got, err := app.DataDir(tt.flag, "bridge"); err != nil || got != filepath.FromSlash(tt.want) {
			t.Errorf("DataDir(%q) with %q = %q, %v; want %q", tt.flag, tt.env, got, err, tt.want)
		}
	}
}

func TestOpenData(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	d, err := app.OpenData(dir, "bridge")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := app.OpenData(dir, "bridge"); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("second OpenData = %v, want it refused", err)
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("directory has mode %v, %v; want 0700", info.Mode().Perm(), err)
	}
	d.Close()
	d.Close()
	if _, err := app.OpenData(dir, "gateway"); app.Code(err) != app.ExitUsage {
		t.Errorf("OpenData of another program's directory = %v, want exit code 2", err)
	}
	for _, text := range []string{"bridge 2\n", "bridge\n", "", "bridge x\n", "bridge 0\n"} {
		if err := os.WriteFile(d.Path("FORMAT"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := app.OpenData(dir, "bridge"); app.Code(err) != app.ExitUsage || !strings.Contains(err.Error(), "FORMAT") {
			t.Errorf("OpenData with FORMAT %q = %v, want exit code 2 and the file's name", text, err)
		}
	}
}

// A new config.toml sets what init decided and explains the rest; what it says
// is what Load reads.
func TestWriteConfig(t *testing.T) {
	type section struct {
		Addr  string `toml:"addr" doc:"Where."`
		Count int    `toml:"count" doc:"How many."`
	}
	type config struct {
		One section `toml:"one" doc:"First."`
		Two section `toml:"two" doc:"Second."`
	}
	dir := t.TempDir()
	created, err := app.WriteConfig(dir, &config{Two: section{"here", 3}}, "two.addr")
	if err != nil || !created {
		t.Fatalf("WriteConfig = %t, %v; want a new file", created, err)
	}
	text, err := os.ReadFile(filepath.Join(dir, app.ConfigFile))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), "\naddr = \"here\"\n") || strings.Count(string(text), "# addr = ") != 1 || !strings.Contains(string(text), "# count = 3") {
		t.Errorf("config.toml = %s; want two.addr set alone", text)
	}
	var got config
	if _, err := app.Load(&got, "tool", dir, nil); err != nil || got.Two.Addr != "here" || got.One.Addr != "" || got.Two.Count != 0 {
		t.Errorf("Load = %+v, %v; want what was set", got, err)
	}
	if created, err := app.WriteConfig(dir, &config{}, "two.addr"); created || err != nil {
		t.Errorf("second WriteConfig = %t, %v; want the file kept", created, err)
	}
	if err := os.WriteFile(filepath.Join(dir, app.ConfigFile), []byte("[two]\nadr = 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := app.Load(&got, "tool", dir, nil); app.Code(err) != app.ExitUsage || !strings.Contains(err.Error(), "config.toml:2") {
		t.Errorf("Load of an unknown key = %v, want exit code 2 with file and line", err)
	}
}

func TestNewLog(t *testing.T) {
	var out bytes.Buffer
	log, err := app.NewLog(&out, "bridge", app.DefaultLog())
	if err != nil {
		t.Fatal(err)
	}
	log.Debug("hidden")
	log.Info("shown")
	if got := out.String(); !strings.Contains(got, `"msg":"shown","program":"bridge"`) || strings.Contains(got, "hidden") {
		t.Errorf("log = %q, want one JSON line", got)
	}
	// So that a check finds what serve would refuse.
	if err := (&app.LogConfig{Level: "loud", Format: "auto"}).Validate(); err == nil || !strings.Contains(err.Error(), `level: "loud"`) {
		t.Errorf("Validate of level loud = %v, want it refused", err)
	}
	for _, cfg := range []app.LogConfig{{Level: "loud", Format: "auto"}, {Level: "info", Format: "xml"}} {
		if _, err := app.NewLog(&out, "bridge", cfg); app.Code(err) != app.ExitUsage {
			t.Errorf("NewLog(%v) = %v, want exit code 2", cfg, err)
		}
	}
}
