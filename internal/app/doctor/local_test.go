package doctor

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/config"
	"github.com/culvert-net/culvert/internal/serve"
)

// has fails unless exactly one finding is of that level and says all of want,
// in what was found or in what to do.
func has(t *testing.T, found []Finding, level Level, want ...string) {
	t.Helper()
	for _, f := range found {
		if f.Level != level {
			continue
		}
		text := f.Found + " -> " + f.Do
		for _, w := range want {
			if !strings.Contains(text, w) {
				t.Errorf("%s %q lacks %q", f.Level, text, w)
			}
		}
		if (level == Warning || level == Problem) && f.Do == "" {
			t.Errorf("%s %q does not say what to do", f.Level, f.Found)
		}
		return
	}
	t.Errorf("findings = %+v, want one of level %s with %q", found, level, want)
}

func TestData(t *testing.T) {
	for _, tt := range []struct {
		name    string
		change  func(t *testing.T, dir string)
		running bool
		level   Level
		want    string
	}{
		{"fine", nil, false, OK, "/d"},
		{"fine and running", hold, true, OK, "/d"},
		{"missing", func(t *testing.T, dir string) { try(t, os.RemoveAll(dir)) }, false, Warning, "bridge init"},
		{"a file", func(t *testing.T, dir string) {
			try(t, os.RemoveAll(dir))
			try(t, os.WriteFile(dir, nil, 0o600))
		}, false, Problem, "not a directory"},
		{"open", func(t *testing.T, dir string) { try(t, os.Chmod(dir, 0o755)) }, false, Warning, "chmod 700 "},
		{"of another program", func(t *testing.T, dir string) {
			try(t, os.WriteFile(filepath.Join(dir, "FORMAT"), []byte("gateway 1\n"), 0o600))
		}, false, Problem, `of "gateway"`},
		{"newer", func(t *testing.T, dir string) {
			try(t, os.WriteFile(filepath.Join(dir, "FORMAT"), []byte("bridge 99\n"), 0o600))
		}, false, Problem, "newer"},
		{"held by what does not answer", hold, false, Problem, "lsof "},
		{"a key others can read", func(t *testing.T, dir string) {
			try(t, os.WriteFile(filepath.Join(dir, "k"), nil, 0o644))
		}, false, Problem, "chmod 600 "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "d")
			d, err := app.OpenData(dir, "bridge")
			try(t, err)
			try(t, d.Close())
			if tt.change != nil {
				tt.change(t, dir)
			}
			found := Data(dir, "bridge", tt.running, "bridge init", "k")
			has(t, found, tt.level, tt.want)
			if len(found) != 1 {
				t.Errorf("findings = %+v, want one", found)
			}
		})
	}
}

func try(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// hold is another program on the directory.
func hold(t *testing.T, dir string) {
	d, err := app.OpenData(dir, "bridge")
	try(t, err)
	t.Cleanup(func() { d.Close() })
}

// A look leaves nothing behind, and what starts afterwards starts.
func TestDataChangesNothing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "d")
	try(t, os.Mkdir(dir, 0o700))
	Data(dir, "bridge", false, "x", "k")
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		t.Errorf("the directory holds %v, %v after a look", entries, err)
	}
	hold(t, dir)
}

func TestPort(t *testing.T) {
	plain, err := net.Listen("tcp", "127.0.0.1:0")
	try(t, err)
	defer plain.Close()
	serving := func(path, text string) string {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != path {
				http.NotFound(w, r)
				return
			}
			fmt.Fprint(w, text)
		}))
		t.Cleanup(s.Close)
		return s.Listener.Addr().String()
	}
	silent := plain.Addr().String()
	free := func() string {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		try(t, err)
		defer l.Close()
		return l.Addr().String()
	}()
	for _, tt := range []struct {
		name, addr string
		level      Level
		want       []string
	}{
		{"free", free, OK, []string{"is free"}},
		{"a bridge", serving("/", `{"name":"culvert","mode":"world"}`), Problem, []string{"another bridge", "bridge serve --listen 127.0.0.1:PORT"}},
		{"a status page", serving("/status", `{"program":"gateway"}`), Problem, []string{"another gateway"}},
		{"something", silent, Problem, []string{"is taken by"}},
		{"not of this machine", "127.0.0.1:99999", Problem, []string{"--listen"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			has(t, []Finding{Port(t.Context(), "--listen", tt.addr, "bridge serve")}, tt.level, append(tt.want, tt.addr)...)
		})
	}
}

func TestLoad(t *testing.T) {
	type section struct {
		Level int `toml:"level" flag:"level" doc:"How much."`
	}
	type cfg struct {
		One section `toml:"one" doc:"First."`
	}
	defaults := func() *cfg { return &cfg{section{7}} }
	for _, tt := range []struct {
		name, file  string
		args        []string
		level, code int
		wrong       bool
	}{
		{"fine", "[one]\nlevel = 1\n", nil, 1, 0, false},
		{"a flag", "", []string{"--level", "2"}, 2, 0, false},
		{"a wrong file", "[one]\nlevle = 1\n", nil, 7, 0, true},
		{"a wrong file and a flag", "[one]\nlevle = 1\n", []string{"--level", "2"}, 7, 0, true},
		{"a wrong flag", "", []string{"--level", "13"}, 0, 2, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			try(t, os.WriteFile(filepath.Join(dir, app.ConfigFile), []byte(tt.file), 0o600))
			bound := defaults()
			flags := pflag.NewFlagSet("x", pflag.ContinueOnError)
			config.Bind(flags, bound)
			try(t, flags.Parse(tt.args))
			c, wrong, err := Load(defaults, bound, "tool", dir, flags, func(c *cfg, _ string) error {
				if c.One.Level == 13 {
					return errors.New("13 is unlucky")
				}
				return nil
			})
			if app.Code(err) != tt.code || (wrong != nil) != tt.wrong || err == nil && c.One.Level != tt.level {
				t.Errorf("Load = %+v, %v, %v; want level %d, a finding: %t, exit code %d", c, wrong, err, tt.level, tt.wrong, tt.code)
			}
		})
	}
}

func TestDaemon(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	for _, tt := range []struct {
		name    string
		running bool
		err     error
		version string
		level   Level
		want    string
	}{
		{"runs", true, nil, app.Version(), OK, "running for 5 minutes"},
		{"does not", false, nil, "", Warning, "bridge serve"},
		{"of another version", true, nil, "0.0", Warning, "Restart it"},
		{"another user's", false, fmt.Errorf("asking: %w", serve.ErrForeign), "", Problem, "cannot be told"},
		{"hangs", false, errors.New("timeout"), "", Problem, "does not answer"},
	} {
		has(t, []Finding{Daemon("bridge", tt.running, tt.err, tt.version, now.Add(-5*time.Minute), now, "bridge serve")}, tt.level, tt.want)
	}
	has(t, Waiting([]string{"no provider is known"}, now.Add(-time.Minute), now, "Look."), Problem, "not ready: no provider is known", "Look.")
	has(t, Waiting([]string{"no provider is known"}, now.Add(-time.Second), now, "Look."), Warning, "Wait half a minute")
}

func TestAskDaemon(t *testing.T) {
	dir := t.TempDir()
	var v struct{ Mode string }
	if running, err := AskDaemon(t.Context(), dir, &v); running || err != nil {
		t.Errorf("AskDaemon of nobody = %t, %v", running, err)
	}
	l, err := serve.ListenAdmin(filepath.Join(dir, serve.AdminSocket))
	try(t, err)
	s := &http.Server{Handler: http.NotFoundHandler()}
	go s.Serve(l)
	defer s.Close()
	if running, err := AskDaemon(t.Context(), dir, &v); running || err == nil {
		t.Errorf("AskDaemon of one that talks nonsense = %t, %v; want an error", running, err)
	}
}
