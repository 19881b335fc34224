package vectors_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/culvert-net/culvert/mesh/vectors"
	"github.com/culvert-net/culvert/mesh/world"
)

var update = flag.Bool("update", false, "write testdata/vectors.json anew")

const ours = "testdata/vectors.json"

func read(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// The committed file is what this code writes.
func TestOurs(t *testing.T) {
	want, err := vectors.Write()
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(ours, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(read(t, ours), want) {
		t.Error("testdata/vectors.json is not what is written now; if that is meant, run make generate, and say in the change who cannot be talked to any more")
	}
	lines, err := vectors.Check(want)
	if err != nil {
		t.Error(err)
	}
	for _, l := range lines {
		if !l.OK {
			t.Error(l)
		}
	}
	if len(lines) < 100 {
		t.Errorf("%d vectors", len(lines))
	}
}

// published are the reference's vectors as it publishes them: a bare array,
// with two inputs and one byte fewer in one of them.
func published(t testing.TB) []map[string]any {
	t.Helper()
	var file struct{ Vectors []map[string]any }
	if err := json.Unmarshal(read(t, "../world/testdata/terraingossip.json"), &file); err != nil {
		t.Fatal(err)
	}
	for _, v := range file.Vectors {
		if v["name"] == "fah_derivation" {
			in := v["inputs"].(map[string]any)
			delete(in, "tool_schemas_digest_hex")
			delete(in, "safety_mode")
			v["canonical_bytes_hex"] = strings.Replace(v["canonical_bytes_hex"].(string), "08090a", "080a", 1)
		}
	}
	return file.Vectors
}

func check(t testing.TB, file any) ([]vectors.Line, error) {
	t.Helper()
	data, err := json.Marshal(file)
	if err != nil {
		t.Fatal(err)
	}
	return vectors.Check(data)
}

func TestReference(t *testing.T) {
	lines, err := vectors.Check(read(t, "../world/testdata/terraingossip.json"))
	if err != nil || len(lines) != 4 {
		t.Errorf("Check = %v, %v", lines, err)
	}
	for _, l := range lines {
		if !l.OK || !strings.Contains(l.String(), l.Name) {
			t.Error(l)
		}
	}

	// The byte that is missing is named, and what should stand there.
	lines, err = check(t, published(t))
	if !errors.Is(err, vectors.ErrMismatch) || len(lines) != 4 {
		t.Fatalf("Check of the published array = %v, %v", lines, err)
	}
	for _, l := range lines {
		if l.OK != (l.Name != "fah_derivation") {
			t.Error(l)
		}
		if !l.OK && !strings.Contains(l.Detail, "expected 09 at offset 31, and there is 0a") {
			t.Errorf("%v: want what was expected", l)
		}
	}

	// With all inputs there, the whole of it.
	all := published(t)
	in := all[1]["inputs"].(map[string]any)
	in["tool_schemas_digest_hex"], in["safety_mode"] = strings.Repeat("aa", 32), "standard"
	lines, err = check(t, all)
	if !errors.Is(err, vectors.ErrMismatch) || lines[1].OK || !strings.Contains(lines[1].Detail, "canonical_bytes_hex: expected 166c6c") {
		t.Errorf("Check = %v, %v", lines, err)
	}

	// With the byte in its place, the inputs that are missing come from the bytes.
	all = published(t)
	all[1]["canonical_bytes_hex"] = strings.Replace(all[1]["canonical_bytes_hex"].(string), "080a", "08090a", 1)
	if lines, err = check(t, all); err != nil || !strings.Contains(lines[1].Detail, "safety_mode") {
		t.Errorf("Check = %v, %v", lines, err)
	}
}

// The reference's bundle vector gives three of fourteen inputs.
func TestBundleOfFewInputs(t *testing.T) {
	var file struct{ Vectors []map[string]any }
	if err := json.Unmarshal(read(t, ours), &file); err != nil {
		t.Fatal(err)
	}
	for _, v := range file.Vectors {
		if v["kind"] != "rule_bundle_hash" {
			continue
		}
		delete(v, "kind")
		v["name"] = "rule_bundle_hash"
		in := v["inputs"].(map[string]any)
		delete(in, "w_success")
		if lines, err := check(t, []any{v}); err != nil || !strings.Contains(lines[0].Detail, "w_success") {
			t.Errorf("Check = %v, %v", lines, err)
		}
		in["version"] = 7
		if _, err := check(t, []any{v}); !errors.Is(err, vectors.ErrMismatch) {
			t.Errorf("another version: %v", err)
		}
	}
}

// Every value of every vector counts: whichever is changed, it is found.
func TestEveryValueCounts(t *testing.T) {
	var file struct{ Vectors []map[string]any }
	if err := json.Unmarshal(read(t, ours), &file); err != nil {
		t.Fatal(err)
	}
	flip := func(s string) string {
		if s[0] == '1' {
			return "2" + s[1:]
		}
		return "1" + s[1:]
	}
	for _, v := range file.Vectors {
		if v["kind"] == "ticket" || v["kind"] == "ticket_refused" {
			continue // each costs 40 ms
		}
		wants := func(what string) {
			t.Helper()
			if _, err := check(t, []any{v}); !errors.Is(err, vectors.ErrMismatch) {
				t.Errorf("%s with another %s: %v", v["name"], what, err)
			}
		}
		for _, name := range []string{"canonical_bytes_hex", "hash_hex"} {
			if old := v[name].(string); old != "" {
				v[name] = flip(old)
				wants(name)
				v[name] = old
			}
		}
		steps, _ := v["steps"].(map[string]any)
		for name, old := range steps {
			if old == "" {
				continue
			}
			steps[name] = flip(old.(string))
			wants(name)
			steps[name] = old
		}
	}
}

// All domains and all reasons to refuse something have a vector.
func TestOursAreComplete(t *testing.T) {
	text := string(read(t, ours))
	for _, d := range world.Domains() {
		if !strings.Contains(text, `"domain": "`+string(d)+`"`) {
			t.Errorf("no vector is signed under %s", d)
		}
	}
	for _, reason := range []string{
		"truncated", "trailing", "varint", "length", "bool", "variant", "float", "utf8", "order", "size", "ticket_form",
		"too_large", "type", "place", "bounds", "id", "signature", "word", "checksum", "work", "output",
	} {
		if !strings.Contains(text, `"error": "`+reason+`"`) {
			t.Errorf("nothing is refused for %q", reason)
		}
	}
	for _, wrong := range []string{`"error": "other"`, `"error": "accepted"`} {
		if strings.Contains(text, wrong) {
			t.Errorf("there is a vector with %s", wrong)
		}
	}
}

func TestCheckRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		file string
		want string // part of a line, or of the error if no line is there
	}{
		"nothing":         {"", "reading an object"},
		"no JSON":         {"[", "reading an array"},
		"no vectors":      {"{}", "no vectors"},
		"unknown kind":    {`[{"name": "onion_cell"}]`, `no such kind of vector is known: "onion_cell"`},
		"unknown kind 2":  {`[{"name": "handle", "kind": "x"}]`, "no such kind"},
		"no inputs":       {`[{"name": "fah_derivation"}]`, "cannot be read"},
		"nothing to see":  {`[{"name": "replica_id", "inputs": {}}]`, "no value to compare"},
		"no hex":          {`[{"name": "replica_id", "inputs": {}, "canonical_bytes_hex": "x"}]`, "not hexadecimal"},
		"no such step":    {`[{"name": "replica_id", "inputs": {}, "steps": {"x": "1"}}]`, "x: expected nothing"},
		"a short hash":    {`[{"name": "handle", "inputs": {"world_hex": "ab"}}]`, "cannot be read"},
		"no capability":   {`[{"name": "capability", "inputs": {}, "hash_hex": "1"}]`, "neither fah_hex nor manifest"},
		"too many":        {"[" + strings.Repeat("{},", vectors.MaxVectors) + "{}]", "at most 4096"},
		"too large":       {strings.Repeat(" ", vectors.MaxFile+1), "at most 8388608 bytes"},
		"an unknown type": {`[{"name": "refused", "inputs": {"type": "x"}}]`, "no such type"},
	} {
		lines, err := vectors.Check([]byte(c.file))
		text := ""
		if err != nil {
			text = err.Error()
		}
		if len(lines) > 0 {
			text = lines[0].String()
		}
		if err == nil || !strings.Contains(text, c.want) {
			t.Errorf("%s: %q, %v, want %q", name, text, err, c.want)
		}
	}
}

// slow reports whether a vector may ask for scrypt.
func slow(v []byte) bool {
	return bytes.Contains(v, []byte("ticket")) || bytes.Contains(v, []byte("join_request"))
}

// FuzzCheck feeds files: no panic, and a line for each vector.
func FuzzCheck(f *testing.F) {
	f.Add(read(f, "../world/testdata/terraingossip.json"))
	var file struct{ Vectors []json.RawMessage }
	if err := json.Unmarshal(read(f, ours), &file); err != nil {
		f.Fatal(err)
	}
	for _, v := range file.Vectors {
		if !slow(v) && len(v) < 4096 { // long ones fuzz badly
			f.Add([]byte("[" + string(v) + "]"))
		}
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		if slow(in) {
			return
		}
		lines, err := vectors.Check(in)
		for _, l := range lines {
			if !l.OK && err == nil {
				t.Errorf("%v, and no error", l)
			}
		}
	})
}
