package arch

import (
	"regexp"
	"strings"
	"testing"
)

// All signature domains stand in one table, which says that none is the beginning
// of another: a domain made elsewhere would be compared with nothing.
func TestDomainsStandInOneTable(t *testing.T) {
	const home = "mesh/world/domain.go"
	made := regexp.MustCompile(`\bDomain\s*=\s*"|\bDomain\("`)
	found := 0
	walk(t, false, func(path string, text []byte) {
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return
		}
		n := len(made.FindAll(text, -1))
		if path == home {
			found = n
		} else if n > 0 {
			t.Errorf("%s makes a signature domain; %s has them all", path, home)
		}
	})
	if found < 10 {
		t.Errorf("%s has %d domains; is its form still the one looked for?", home, found)
	}
}
