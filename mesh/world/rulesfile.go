package world

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"reflect"
	"slices"

	"github.com/BurntSushi/toml"

	"github.com/culvert-net/culvert/internal/files"
)

// LoadRules reads a rule bundle from a file: one of the rules alone, or a world
// file. sandbox says whether it is for a world of that kind.
func LoadRules(path string, sandbox bool) (RuleBundle, error) {
	f, err := os.Open(path)
	if err != nil {
		return RuleBundle{}, fmt.Errorf("reading the rules: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, MaxFile+1))
	if err != nil {
		return RuleBundle{}, fmt.Errorf("reading the rules: %w", err)
	}
	r, err := ParseRules(data, sandbox)
	if err != nil {
		return RuleBundle{}, fmt.Errorf("rules in %s: %w", path, err)
	}
	return r, nil
}

// ParseRules reads the content of such a file: all rules, at the top or in a table
// [rules], and nothing else; or a whole world file.
func ParseRules(data []byte, sandbox bool) (RuleBundle, error) {
	if len(data) > MaxFile {
		return RuleBundle{}, fmt.Errorf("it has more than %d bytes", MaxFile)
	}
	var table struct {
		Rules RuleBundle `toml:"rules"`
	}
	meta, err := toml.NewDecoder(bytes.NewReader(data)).Decode(&table)
	if err != nil {
		return RuleBundle{}, err // toml's own text names line and key
	}
	if meta.IsDefined("format") || meta.IsDefined("phrase") {
		w, err := Parse(data)
		if err != nil {
			return RuleBundle{}, err
		}
		return w.Rules, w.Rules.Check(sandbox)
	}
	r, at := table.Rules, toml.Key{"rules"}
	if !meta.IsDefined("rules") {
		at = nil
		if meta, err = toml.NewDecoder(bytes.NewReader(data)).Decode(&r); err != nil {
			return RuleBundle{}, err
		}
	}
	if err := checkRuleKeys(meta, at); err != nil {
		return RuleBundle{}, err
	}
	if ms := int64(r.EpochLenMS); ms < 0 { // as in a world file
		return RuleBundle{}, ruleError("epoch_len_ms", ms, "positive only")
	}
	return r, r.Check(sandbox)
}

// checkRuleKeys compares keys with the rules, which stand in the table at.
func checkRuleKeys(meta toml.MetaData, at toml.Key) error {
	names := tomlNames(reflect.TypeFor[RuleBundle]())
	for _, key := range meta.Keys() {
		inside := len(key) == len(at)+1 && slices.Equal(key[:len(at)], at) && slices.Contains(names, key[len(at)])
		if !inside && !slices.Equal(key, at) {
			return &FieldError{Field: key.String(), Problem: "unknown key"}
		}
	}
	for _, name := range names {
		if !meta.IsDefined(append(slices.Clone(at), name)...) {
			return &FieldError{Field: "rules." + name, Problem: "missing"}
		}
	}
	return nil
}

// FormatRules is the content of a file of rules alone.
func FormatRules(r RuleBundle) ([]byte, error) {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# The rules of a world, as a whole named by their hash:\n# %s\n\n", r.Hash())
	if err := toml.NewEncoder(&b).Encode(r); err != nil {
		return nil, fmt.Errorf("writing rules as TOML: %w", err)
	}
	return b.Bytes(), nil
}

// WriteRules writes it.
func WriteRules(path string, r RuleBundle) error {
	data, err := FormatRules(r)
	if err == nil {
		err = files.Write(path, data, files.Private)
	}
	if err != nil {
		return fmt.Errorf("writing the rules: %w", err)
	}
	return nil
}

// Changes are the rules in which other differs from r, for a person: "w_latency
// 0.3 -> 0.5".
func (r RuleBundle) Changes(other RuleBundle) []string {
	var out []string
	a, b := reflect.ValueOf(r), reflect.ValueOf(other)
	for i, name := range tomlNames(a.Type()) {
		if from, to := a.Field(i).Interface(), b.Field(i).Interface(); from != to {
			out = append(out, fmt.Sprintf("%s %v -> %v", name, from, to))
		}
	}
	return out
}
