package arch

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Every test that the tables of promises and of failures name exists in the
// package it is said to be in: a promise whose test was renamed away is a
// promise nobody keeps. A name without a package belongs to the last package
// named in its row.
func TestTablesNameTheirTests(t *testing.T) {
	has := make(map[string]bool) // "package TestName"
	for _, s := range sources(t) {
		if !s.test {
			continue
		}
		code, err := os.ReadFile(filepath.Join(root(t), s.path))
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`).FindAllSubmatch(code, -1) {
			has[s.dir()+" "+string(m[1])] = true
		}
	}
	named := regexp.MustCompile("`(?:([a-z0-9/]+): )?((?:Test|Fuzz)\\w+)`")
	for _, name := range []string{"docs/features.md", "docs/failures.md"} {
		text, err := os.ReadFile(filepath.Join(root(t), name))
		if err != nil {
			t.Fatal(err)
		}
		found := 0
		for line := range strings.Lines(string(text)) {
			if !strings.HasPrefix(line, "|") {
				continue
			}
			pkg := ""
			for _, m := range named.FindAllStringSubmatch(line, -1) {
				if m[1] != "" {
					pkg = m[1]
				}
				found++
				if !has[pkg+" "+m[2]] {
					t.Errorf("%s names %s: %s, which does not exist", name, pkg, m[2])
				}
			}
		}
		if found < 20 {
			t.Errorf("%s names %d tests; is its form still the one read here?", name, found)
		}
	}
}
