package bridge

import (
	"encoding"
	"io"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/culvert-net/culvert/internal/app"
)

// Who looks in the wrong place is told of the other one: the bridge of make run
// has a data directory of its own.
func TestNotRunning(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("CULVERT_DATA", dir)
	for _, tt := range []struct {
		args  []string
		hints bool
	}{{[]string{"status"}, true}, {[]string{"status", "--data", dir}, false}} {
		cmd := Command()
		cmd.SetArgs(tt.args)
		cmd.SetErr(io.Discard)
		cmd.SilenceErrors, cmd.SilenceUsage = true, true
		err := cmd.ExecuteContext(t.Context())
		if app.Code(err) != app.ExitNotReady || !strings.Contains(err.Error(), " serve") || strings.Contains(err.Error(), "make run") != tt.hints {
			t.Errorf("%q: %v; want what to start, and make run named: %v", tt.args, err, tt.hints)
		}
	}
}

// The published table has every field of the status, and no other.
func TestStatusIsDocumented(t *testing.T) {
	text, err := os.ReadFile("../../../docs/spec/status.md")
	if err != nil {
		t.Fatal(err)
	}
	var published []string
	for line := range strings.Lines(string(text)) {
		if name, ok := strings.CutPrefix(line, "| `"); ok {
			name, _, _ = strings.Cut(name, "`")
			published = append(published, name)
		}
	}
	if got := jsonFields(reflect.TypeFor[Status](), ""); !slices.Equal(got, published) {
		t.Errorf("the code has %q,\nthe document %q", got, published)
	}
}

// jsonFields are the names of a type's fields as JSON has them, in order, with
// those of the types in it.
func jsonFields(t reflect.Type, prefix string) (all []string) {
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		all = append(all, prefix+name)
		inner, at := f.Type, prefix+name+"."
		switch inner.Kind() {
		case reflect.Pointer:
			inner = inner.Elem()
		case reflect.Slice:
			inner, at = inner.Elem(), prefix+name+"[]."
		}
		if inner.Kind() == reflect.Struct && !inner.Implements(reflect.TypeFor[encoding.TextMarshaler]()) { // those are strings
			all = append(all, jsonFields(inner, at)...)
		}
	}
	return all
}
