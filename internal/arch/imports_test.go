package arch

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

func TestImports(t *testing.T) {
	for _, v := range violations(sources(t), table) {
		t.Error(v)
	}
}

// violations lists what in all breaks the table.
func violations(all []*source, table []ban) []string {
	edges := graph(all)
	var out []string
	for _, b := range table {
		for _, s := range all {
			if !matchesAny(b.who, s.dir()) || matchesAny(b.except, s.dir()) || s.test && !b.tests {
				continue
			}
			for _, i := range s.imports {
				if b.bans(i) {
					out = append(out, fmt.Sprintf("%s imports %s: %s", s.path, i, b.why))
				}
			}
			if b.through && !s.test {
				out = append(out, indirect(s, b, edges)...)
			}
		}
	}
	return out
}

func (b *ban) bans(imported string) bool {
	if own, ok := local(imported); ok {
		imported = own
	}
	return matchesAny(b.what, imported) && !matchesAny(b.but, imported)
}

// graph has what each package of the module imports, tests left out.
func graph(all []*source) map[string][]string {
	sets := make(map[string]map[string]bool)
	for _, s := range all {
		if s.test {
			continue
		}
		if sets[s.dir()] == nil {
			sets[s.dir()] = make(map[string]bool)
		}
		for _, i := range s.imports {
			sets[s.dir()][i] = true
		}
	}
	out := make(map[string][]string)
	for d, set := range sets {
		out[d] = slices.Sorted(maps.Keys(set))
	}
	return out
}

// indirect lists what s reaches of b's bans through packages of the module,
// with the way to it.
func indirect(s *source, b ban, edges map[string][]string) []string {
	type step struct {
		dir string
		way []string
	}
	var out []string
	seen := map[string]bool{s.dir(): true}
	var todo []step
	push := func(from step) {
		for _, i := range edges[from.dir] {
			if d, ok := local(i); ok && !seen[d] && !matchesAny(b.who, d) {
				seen[d] = true
				todo = append(todo, step{d, append(slices.Clone(from.way), d)})
			}
		}
	}
	// Only this file's imports; the package's other files speak for themselves.
	for _, i := range s.imports {
		if d, ok := local(i); ok && !seen[d] && !matchesAny(b.who, d) {
			seen[d] = true
			todo = append(todo, step{d, []string{d}})
		}
	}
	for len(todo) > 0 {
		at := todo[0]
		todo = todo[1:]
		for _, i := range edges[at.dir] {
			if b.bans(i) {
				out = append(out, fmt.Sprintf("%s reaches %s through %s: %s", s.path, i, strings.Join(at.way, " and "), b.why))
			}
		}
		push(at)
	}
	return out
}

// The table must bite: each row is broken once, and a kept rule is not.
func TestTableBites(t *testing.T) {
	file := func(path string, imports ...string) *source {
		return &source{path: path, test: strings.HasSuffix(path, "_test.go"), imports: imports}
	}
	own := func(p string) string { return module + "/" + p }
	for _, tt := range []struct {
		name string
		all  []*source
		want string // part of the only violation; empty: none
	}{
		{"api and circuit", []*source{file("api/x.go", own("circuit"))}, "api/x.go imports"},
		{"api's tests and circuit", []*source{file("api/tunnel/x_test.go", own("circuit/cell"))}, "imports"},
		{"circuit and mesh", []*source{file("circuit/onion/x.go", own("mesh/world"))}, "unable to know"},
		{"mesh and ledger", []*source{file("mesh/log/x.go", own("ledger"))}, "replayable"},
		{"credits to come and circuits", []*source{file("ledger/blind/x.go", own("circuit"))}, "money"},
		{"ledger and api", []*source{file("ledger/x.go", own("api/usage"))}, "money"},
		{"libp2p in the host", []*source{file("mesh/x.go", "github.com/libp2p/go-libp2p/core/host")}, ""},
		{"libp2p elsewhere", []*source{file("mesh/directory/x.go", "github.com/libp2p/go-libp2p/core/peer")}, "libp2p is"},
		{"libp2p in the wiring", []*source{file("internal/app/node/x_test.go", "github.com/libp2p/go-libp2p")}, "libp2p is"},
		{"ethereum in its place", []*source{file("ledger/chain/x.go", "github.com/ethereum/go-ethereum/ethclient")}, ""},
		{"ethereum elsewhere", []*source{file("ledger/claim/x.go", "github.com/ethereum/go-ethereum/common")}, "93 packages"},
		{"a node in the devchain", []*source{file("internal/app/devchain/x.go", "github.com/ethereum/go-ethereum/eth", "github.com/ethereum/go-ethereum/core")}, ""},
		{"a node in the client", []*source{file("ledger/chain/x.go", "github.com/ethereum/go-ethereum/core/types", "github.com/ethereum/go-ethereum/core/vm")}, "60 MB"},
		{"a node in the client's test", []*source{file("ledger/chain/x_test.go", "github.com/ethereum/go-ethereum/ethclient/simulated")}, ""},
		{"the devchain in the sandbox", []*source{file("internal/app/sandbox/x.go", own("internal/app/devchain"), own("internal/app/devchain/ready"))}, "a process of its own"},
		{"http in a circuit", []*source{file("circuit/x.go", "net/http")}, "carries bytes"},
		{"json in a circuit's test", []*source{file("circuit/x_test.go", "encoding/json")}, ""},
		{
			"http in a circuit, through a basic",
			[]*source{file("circuit/x.go", own("internal/a")), file("internal/a/x.go", own("internal/b")), file("internal/b/x.go", "net/http")},
			"circuit/x.go reaches net/http through internal/a and internal/b",
		},
		{"host and directory", []*source{file("mesh/x.go", own("mesh/directory"))}, "carries streams"},
		{"directory and host", []*source{file("mesh/directory/x.go", own("mesh"))}, "any stream"},
		{"test network and host", []*source{file("mesh/meshtest/x.go", own("mesh"), "testing")}, ""},
		{"test network in a test", []*source{file("internal/sim/x_test.go", own("mesh/meshtest"))}, ""},
		{"test network in a program", []*source{file("internal/app/x.go", own("mesh/meshtest"))}, "real network only"},
		{"simulated sockets elsewhere", []*source{file("mesh/x_test.go", "github.com/marcopolo/simnet")}, "one package"},
		{"directory and world", []*source{file("mesh/directory/x.go", own("mesh/world"))}, ""},
		{"clock in a route", []*source{file("mesh/route/x.go", "time")}, "pure"},
		{"address in a route", []*source{file("mesh/route/x.go", "net/netip", "math/rand/v2", "errors")}, ""},
		{"clock in a route's test", []*source{file("mesh/route/x_test.go", "time", "testing")}, ""},
		{"basic and pillar", []*source{file("internal/files/x.go", own("mesh/world"))}, "they meet there"},
		{"pillar and wiring", []*source{file("api/x.go", own("internal/app"))}, "end of the line"},
		{"wiring and wiring", []*source{file("internal/app/bridge/x.go", own("internal/app"), own("api"), own("circuit"), own("mesh"))}, ""},
		{"command and wiring", []*source{file("cmd/bridge/main.go", own("internal/app/bridge"), "os")}, ""},
		{"command and pillar", []*source{file("cmd/bridge/main.go", own("api"))}, "ten lines"},
		{"a gateway and the log", []*source{file("internal/app/gateway/x.go", own("mesh/eventlog"))}, "must not read"},
		{"a gateway's tests and the roster", []*source{file("internal/app/gateway/x_test.go", own("mesh/roster"))}, "must not read"},
		{
			"a gateway and gossip, through shared wiring",
			[]*source{file("internal/app/gateway/x.go", own("internal/app/node")), file("internal/app/node/x.go", own("internal/app/a")), file("internal/app/a/x.go", own("mesh/gossip"))},
			"internal/app/gateway/x.go reaches github.com/culvert-net/culvert/mesh/gossip through internal/app/node and internal/app/a",
		},
		{"a gateway and member wiring", []*source{file("internal/app/gateway/x.go", own("internal/app/member"))}, "must not read"},
		{"a bridge and the log", []*source{file("internal/app/bridge/x.go", own("mesh/eventlog"), own("mesh/roster"), own("internal/app/member"))}, ""},
		{"schemas elsewhere", []*source{file("api/x_test.go", "github.com/santhosh-tekuri/jsonschema/v6")}, "in one place"},
		{"schemas in a program", []*source{file("api/x.go", own("internal/openapi"))}, "tests measure"},
		{"schemas in a suite", []*source{file("api/backend/backendtest/x.go", own("internal/openapi"))}, ""},
		{"old chance", []*source{file("api/x_test.go", "math/rand")}, "v2"},
		{"other log", []*source{file("api/x.go", "go.uber.org/zap")}, "log/slog"},
		{"testing in production", []*source{file("api/x.go", "testing")}, "is tested"},
		{"testing in a suite", []*source{file("api/backend/backendtest/x.go", "testing")}, ""},
		{"pprof", []*source{file("api/x.go", "net/http/pprof")}, "global mux"},
		{"exec", []*source{file("internal/app/gateway/x.go", "os/exec")}, "breaking into"},
		{"exec in a test", []*source{file("internal/e2e/x_test.go", "os/exec")}, ""},
		{"unsafe", []*source{file("api/x.go", "unsafe")}, "strangers"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := violations(tt.all, table)
			switch {
			case tt.want == "" && len(got) != 0:
				t.Errorf("violations = %q, want none", got)
			case tt.want != "" && (len(got) != 1 || !strings.Contains(got[0], tt.want)):
				t.Errorf("violations = %q, want one with %q", got, tt.want)
			}
		})
	}
}

// Every row has a reason, and patterns that can match.
func TestTableIsComplete(t *testing.T) {
	for i, b := range table {
		if b.why == "" || len(b.who) == 0 || len(b.what) == 0 {
			t.Errorf("row %d has no reason, subject or object", i)
		}
		for _, e := range b.except {
			base := strings.TrimSuffix(e, "/...")
			if !matchesAny(b.who, base) {
				t.Errorf("row %d excepts %s, which it does not cover", i, e)
			}
		}
	}
}

func TestLayout(t *testing.T) {
	for _, s := range sources(t) {
		top, _, _ := strings.Cut(s.path, "/")
		if !slices.Contains(layout, top) {
			t.Errorf("%s is not in the layout (%s), so no rule covers it", s.path, strings.Join(layout, ", "))
		}
	}
}
