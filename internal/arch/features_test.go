package arch

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// tables are the documents whose rows name tests.
func tables() []string {
	return []string{"docs/features.md", "docs/failures.md", "docs/design/money-tests.md"}
}

// Every test that the tables of promises, of failures and of money name exists in
// the package it is said to be in: a promise whose test was renamed away is a
// promise nobody keeps. A name without a package belongs to the last package
// named in its row. Solidity's tests are those of contracts/test.
func TestTablesNameTheirTests(t *testing.T) {
	has := make(map[string]bool) // "package TestName"
	solidity, err := os.ReadFile(filepath.Join(root(t), "contracts/test/Market.t.sol"))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`(?m)^    function ((?:testFuzz|invariant)_\w+)\(`).FindAllSubmatch(solidity, -1) {
		has["contracts/test "+string(m[1])] = true
	}
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
	named := regexp.MustCompile("`(?:([a-z0-9/]+): )?((?:Test|Fuzz|testFuzz_|invariant_)\\w+)`")
	for _, name := range tables() {
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

// Every make target that the tables name exists.
func TestTablesNameTheirTargets(t *testing.T) {
	makefile, err := os.ReadFile(filepath.Join(root(t), "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	has := make(map[string]bool)
	for _, m := range regexp.MustCompile(`(?m)^([a-z-]+):`).FindAllSubmatch(makefile, -1) {
		has[string(m[1])] = true
	}
	found := 0
	for _, name := range tables() {
		text, err := os.ReadFile(filepath.Join(root(t), name))
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile("`make ([a-z-]+)").FindAllSubmatch(text, -1) {
			if found++; !has[string(m[1])] {
				t.Errorf("%s names make %s, which does not exist", name, m[1])
			}
		}
	}
	if found < 20 {
		t.Errorf("%d targets are named; is their form still the one read here?", found)
	}
}
