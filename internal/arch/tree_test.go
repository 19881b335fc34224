package arch

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// module is the path of this module.
const module = "github.com/culvert-net/culvert"

// source is one Go file.
type source struct {
	path    string // below the root, with slashes
	test    bool
	doc     string // the package comment
	pkg     string // the package's name
	imports []string
	spawns  bool // has a go statement
	inits   bool // has a func init
	lines   int
	made    bool // generated
}

// dir is the package's directory, which is also its path below the module.
func (s *source) dir() string { return path.Dir(s.path) }

// root finds the repository from the directory the test runs in.
func root(tb testing.TB) string {
	tb.Helper()
	dir, err := os.Getwd()
	if err != nil {
		tb.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		up := filepath.Dir(dir)
		if up == dir {
			tb.Fatal("no go.mod above the test")
		}
		dir = up
	}
}

// skipped are directories that hold nothing of ours, or nothing that is built
// with this module.
func skipped(name string) bool {
	return name == "testdata" || name == "node_modules" || name == "bin" || name == "vendor" ||
		strings.HasPrefix(name, ".") && name != "." && name != ".ci"
}

// walk calls f for every file below the root, other modules left out unless
// they are wanted.
func walk(tb testing.TB, modules bool, f func(path string, text []byte)) {
	tb.Helper()
	fsys := os.DirFS(root(tb))
	err := fs.WalkDir(fsys, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if skipped(d.Name()) {
				return fs.SkipDir
			}
			if _, err := fs.Stat(fsys, path.Join(p, "go.mod")); err == nil && p != "." && !modules {
				return fs.SkipDir
			}
			return nil
		}
		if !d.Type().IsRegular() || p == ".git" { // of a worktree: it names its repository
			return nil
		}
		text, err := fs.ReadFile(fsys, p)
		if err != nil {
			return err
		}
		f(p, text)
		return nil
	})
	if err != nil {
		tb.Fatal(err)
	}
}

// sources reads every Go file of the module.
func sources(tb testing.TB) []*source {
	tb.Helper()
	var all []*source
	walk(tb, false, func(p string, text []byte) {
		if !strings.HasSuffix(p, ".go") {
			return
		}
		s, err := parse(p, text)
		if err != nil {
			tb.Fatal(err)
		}
		all = append(all, s)
	})
	return all
}

func parse(p string, text []byte) (*source, error) {
	f, err := parser.ParseFile(token.NewFileSet(), p, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	s := &source{
		path:  p,
		test:  strings.HasSuffix(p, "_test.go"),
		pkg:   f.Name.Name,
		doc:   f.Doc.Text(),
		lines: strings.Count(string(text), "\n"),
		made:  ast.IsGenerated(f),
	}
	for _, i := range f.Imports {
		name, err := strconv.Unquote(i.Path.Value)
		if err != nil {
			return nil, err
		}
		s.imports = append(s.imports, name)
	}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			s.spawns = true
		case *ast.FuncDecl:
			s.inits = s.inits || n.Recv == nil && n.Name.Name == "init"
		}
		return true
	})
	return s, nil
}

// packages groups files by directory, in order.
func packages(all []*source) [][]*source {
	byDir := make(map[string][]*source)
	for _, s := range all {
		byDir[s.dir()] = append(byDir[s.dir()], s)
	}
	var out [][]*source
	for _, d := range slices.Sorted(maps.Keys(byDir)) {
		out = append(out, byDir[d])
	}
	return out
}

// matches reports whether an import path fits a pattern: a path, or a path
// and "/..." for it and all below it. Paths of this module are written without
// the module's.
func matches(pattern, imported string) bool {
	if base, ok := strings.CutSuffix(pattern, "/..."); ok {
		return imported == base || strings.HasPrefix(imported, base+"/")
	}
	return imported == pattern
}

func matchesAny(patterns []string, imported string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return matches(p, imported) })
}

// local cuts the module's path off.
func local(imported string) (string, bool) { return strings.CutPrefix(imported, module+"/") }
