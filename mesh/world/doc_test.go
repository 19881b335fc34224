package world_test

import (
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/culvert-net/culvert/mesh/world"
)

// TestDocumentedRules compares §5 of docs/spec/world.md with the rule bundle:
// names, types and order, which is the order of the canonical bytes.
func TestDocumentedRules(t *testing.T) {
	data, err := os.ReadFile("../../docs/spec/world.md")
	if err != nil {
		t.Fatal(err)
	}
	types := map[reflect.Kind]string{reflect.Uint32: "u32", reflect.Uint64: "u64", reflect.Float64: "f64"}
	rest := string(data)
	rules := reflect.TypeFor[world.RuleBundle]()
	for i := range rules.NumField() {
		f := rules.Field(i)
		row := fmt.Sprintf("| `%s` | %s |", f.Tag.Get("toml"), types[f.Type.Kind()])
		_, after, ok := strings.Cut(rest, row)
		if !ok {
			t.Fatalf("§5 lacks the row %q, or has it in another place", row)
		}
		rest = after
	}
	if rules.NumField() != 14 {
		t.Errorf("%d rules; the format has 14", rules.NumField())
	}
}
