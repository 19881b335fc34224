package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

type numbers struct {
	Rules struct {
		Share float64 `toml:"share" doc:"A share."`
	} `toml:"rules" doc:"Rules."`
}

// A number is read with or without a fraction, from file and environment, and
// printed as it is read.
func TestNumber(t *testing.T) {
	for _, tt := range []struct {
		file, environ string
		want          float64
		err           string
	}{
		{"[rules]\nshare = 0.75\n", "", 0.75, ""},
		{"[rules]\nshare = 1\n", "", 1, ""},
		{"[rules]\nshare = 0.75\n", "0.6666666666666666", 2. / 3, ""},
		{"[rules]\nshare = \"0.75\"\n", "", 0, ":2: rules.share: must be a value of type number, not a string"},
		{"[rules]\nshare = nan\n", "", 0, `:2: rules.share: "NaN" is not a number`},
		{"", "much", 0, `CULVERT_X_RULES_SHARE: rules.share: "much" is not a number`},
		{"", "inf", 0, "is not a number"},
	} {
		path := filepath.Join(t.TempDir(), "config.toml")
		if err := os.WriteFile(path, []byte(tt.file), 0o600); err != nil {
			t.Fatal(err)
		}
		var environ []string
		if tt.environ != "" {
			environ = []string{"CULVERT_X_RULES_SHARE=" + tt.environ}
		}
		var cfg numbers
		_, err := Load(&cfg, Options{Program: "x", File: path, Environ: environ})
		if tt.err != "" {
			if err == nil || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("%q, %q: %v, want %q", tt.file, tt.environ, err, tt.err)
			}
			continue
		}
		if err != nil || cfg.Rules.Share != tt.want {
			t.Errorf("%q, %q: %v, %v; want %v", tt.file, tt.environ, cfg.Rules.Share, err, tt.want)
		}
		var b strings.Builder
		if err := Template(&b, &cfg, "rules.share"); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		var again numbers
		if _, err := Load(&again, Options{Program: "x", File: path}); err != nil || again != cfg {
			t.Errorf("%v is written as %s and read as %v, %v", cfg, b.String(), again, err)
		}
	}
}
