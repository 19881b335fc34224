package arch

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

// maxLines is how long a file may be, tests and generated code aside. Beyond
// it nobody reads it as one thing.
const maxLines = 500

func TestFilesAreReadable(t *testing.T) {
	for _, s := range sources(t) {
		if !s.test && !s.made && s.lines > maxLines {
			t.Errorf("%s has %d lines, more than %d: it is several things", s.path, s.lines, maxLines)
		}
		if !s.test && s.inits {
			t.Errorf("%s has a func init: what happens on import cannot be configured or tested", s.path)
		}
	}
}

func TestPurePackagesSpawnNothing(t *testing.T) {
	for _, s := range sources(t) {
		if !s.test && s.spawns && matchesAny(pure, s.dir()) {
			t.Errorf("%s starts a goroutine in a pure package", s.path)
		}
	}
}

// Every package says once, in a fixed form, what it is for.
func TestPackageComments(t *testing.T) {
	for _, files := range packages(sources(t)) {
		var docs []string
		onlyTests := true
		for _, s := range files {
			onlyTests = onlyTests && s.test
		}
		for _, s := range files {
			if s.test != onlyTests || s.doc == "" {
				continue
			}
			docs = append(docs, s.path)
			want := "Package " + s.pkg + " "
			if s.pkg == "main" {
				want = "Command "
			}
			if !strings.HasPrefix(s.doc, want) {
				t.Errorf("%s: the package comment begins %.30q, not %q", s.path, s.doc, want)
			}
		}
		switch {
		case len(docs) == 0:
			t.Errorf("%s: no package comment", files[0].dir())
		case len(docs) > 1:
			t.Errorf("%s: package comments in %s: one is enough", files[0].dir(), strings.Join(docs, " and "))
		}
	}
}

// before is what may stand before an absolute path.
const before = `(?:^|[\s"'` + "`" + `=(:,])`

var (
	// sibling is a directory beside the repository, which a clone does not have.
	sibling = regexp.MustCompile(`\.\./shared\b`)

	// machine is an absolute path of one machine; home is one of one person,
	// which tests may make up.
	machine = regexp.MustCompile(before + `/(?:work|root)/\w`)
	home    = regexp.MustCompile(before + `/(?:home|Users)/[A-Za-z]\w*/\w`)

	// skips is how a test copes with what is not there.
	skips = regexp.MustCompile(`\b[tbf]\.Skipf?\(`)

	// unfinished marks what somebody meant to come back to.
	unfinished = regexp.MustCompile(`\b(?:TO` + `DO|FIX` + `ME|XX` + `X)\b`)
	issue      = regexp.MustCompile(`\b(?:TO` + `DO|FIX` + `ME)\(#\d+\)`)
)

func TestNothingPointsOutside(t *testing.T) {
	walk(t, true, func(p string, text []byte) {
		if !utf8.Valid(text) || bytes.IndexByte(text, 0) >= 0 || strings.HasSuffix(p, "go.sum") {
			return
		}
		optional := strings.HasSuffix(p, "_test.go") && skips.Match(text)
		for n, line := range strings.Split(string(text), "\n") {
			if sibling.MatchString(line) && !optional && p != "internal/arch/text_test.go" {
				t.Errorf("%s:%d refers to a directory beside the repository; only a test that skips without it may", p, n+1)
			}
			if machine.MatchString(line) || !strings.HasSuffix(p, "_test.go") && home.MatchString(line) {
				t.Errorf("%s:%d names a path of one machine: %s", p, n+1, strings.TrimSpace(line))
			}
		}
	})
}

func TestNothingIsLeftUnfinished(t *testing.T) {
	walk(t, true, func(p string, text []byte) {
		if !strings.HasSuffix(p, ".go") && !strings.HasSuffix(p, ".sh") && !strings.HasSuffix(p, "Makefile") {
			return
		}
		for n, line := range strings.Split(string(text), "\n") {
			if unfinished.MatchString(issue.ReplaceAllString(line, "")) {
				t.Errorf("%s:%d is marked as unfinished without the number of an issue", p, n+1)
			}
		}
	})
}

// The patterns must find what they are for.
func TestPatternsBite(t *testing.T) {
	for _, tt := range []struct {
		re   *regexp.Regexp
		text string
		want bool
	}{
		{sibling, `os.ReadFile("../../` + `../shared/vectors")`, true},
		{sibling, `// shared with others`, false},
		{machine, `dir := "/ro` + `ot/x"`, true},
		{home, `see /ho` + `me/ann/x`, true},
		{home, `the home of /x`, false},
		{machine, `PATH=/wo` + `rk/bin`, true},
		{machine, `https://example.org/work/x`, false},
		{machine, `/usr/local/bin`, false},
		{machine, `net/work/x`, false},
		{unfinished, `// TO` + `DO: later`, true},
		{unfinished, `// nothing to do`, false},
		{issue, `// TO` + `DO(#12): later`, true},
	} {
		if got := tt.re.MatchString(tt.text); got != tt.want {
			t.Errorf("%s matches %q: %v, want %v", tt.re, tt.text, got, tt.want)
		}
	}
}
