package bridge

import (
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

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
		if inner.Kind() == reflect.Struct && inner != reflect.TypeFor[time.Time]() {
			all = append(all, jsonFields(inner, at)...)
		}
	}
	return all
}
