package postgres

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/culvert-net/culvert/internal/kv"
)

// Servers that are not at hand in every test: an old one above all.
func TestFacts(t *testing.T) {
	good := facts{version: 140000}
	if err := good.check(); err != nil {
		t.Errorf("PostgreSQL 14 = %v, want no error", err)
	}
	for said, f := range map[string]facts{
		"PostgreSQL 13, and 14 is the oldest": {version: 130022},
		"in recovery":                         {version: 150018, replica: true},
		"only reads":                          {version: 150018, readOnly: true},
		"fsync is off":                        {version: 150018, unsynced: true},
	} {
		if err := f.check(); err == nil || !strings.Contains(err.Error(), said) {
			t.Errorf("%+v = %v, want %q", f, err, said)
		}
	}
}

func TestFormats(t *testing.T) {
	if err := checkFormat([]byte("1")); err != nil {
		t.Errorf("format 1 = %v", err)
	}
	if err := checkFormat([]byte("2")); err == nil || !strings.Contains(err.Error(), "newer") {
		t.Errorf("format 2 = %v, want that a newer program is needed", err)
	}
	for _, found := range []string{"", "0", "x"} {
		if err := checkFormat([]byte(found)); !errors.Is(err, kv.ErrDamaged) {
			t.Errorf("format %q = %v, want ErrDamaged", found, err)
		}
	}
}

func TestNames(t *testing.T) {
	for name, good := range map[string]bool{
		"culvert": true, "gateway_2": true, "user": true, strings.Repeat("a", 63): true,
		"": false, "A": false, "2a": false, "_a": false, `a"`: false, "a-b": false, "a.b": false, "ä": false,
		"pg_a": false, "public": false, "information_schema": false, strings.Repeat("a", 64): false,
	} {
		if err := checkName(name); (err == nil) != good {
			t.Errorf("checkName(%q) = %v, want accepted: %t", name, err, good)
		}
	}
}

// URLs that cannot be read have passwords too.
func TestURL(t *testing.T) {
	for _, url := range []string{
		"postgres://a:canary/@host:54x/d", "postgres://a:canary%zz@host/d", "canary", "postgres://a:canary@h/d?sslmode=canary",
		"host=h password='canary", "postgres://a:canary@h/d?sslrootcert=/canary/none",
		"host=h password=canary", "postgres://a:1/canary@h/d", "mysql://a:canary@h/d", "a:canary@h/d", "",
	} {
		_, err := Open(context.Background(), Config{URL: url, Name: "a"})
		if err == nil || strings.Contains(err.Error(), "canary") || !strings.Contains(err.Error(), "postgres://user:password@") {
			t.Errorf("Open = %v, want what a URL is like, and nothing of this one", err)
		}
	}
}
