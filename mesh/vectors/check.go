package vectors

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// ErrMismatch says that a vector is not what was computed, or that nothing is
// known about its kind.
var ErrMismatch = errors.New("vectors do not match")

// Line says how one vector fared.
type Line struct {
	Name   string
	OK     bool
	Detail string // what was compared, or what was expected
}

// String is the line as people read it.
func (l Line) String() string {
	word := "ok      "
	if !l.OK {
		word = "MISMATCH"
	}
	return word + " " + l.Name + ": " + l.Detail
}

// Check computes every vector of a file again. The lines are in the file's
// order; the error wraps ErrMismatch if one of them is not OK.
func Check(data []byte) ([]Line, error) {
	list, err := parse(data)
	if err != nil {
		return nil, err
	}
	var lines []Line
	bad := 0
	for i, v := range list {
		l := Line{Name: v.Name, OK: true}
		if l.Name == "" {
			l.Name = fmt.Sprintf("vectors[%d]", i)
		}
		if l.Detail, err = v.check(); err != nil {
			l.OK, l.Detail = false, err.Error()
			bad++
		}
		lines = append(lines, l)
	}
	if bad > 0 {
		return lines, fmt.Errorf("%w: %d of %d", ErrMismatch, bad, len(list))
	}
	return lines, nil
}

// check compares a vector with what its inputs make. It says what was compared.
func (v *vector) check() (string, error) {
	k, err := find(v.Kind, v.Name)
	if err != nil {
		return "", err
	}
	given, err := hex.DecodeString(v.Canonical)
	if err != nil {
		return "", fmt.Errorf("canonical_bytes_hex is not hexadecimal: %w", err)
	}
	got, err := k.compute(v.Inputs, given)
	if err != nil {
		return "", err
	}
	var compared, wrong []string
	compare := func(name, value, want string) {
		if strings.EqualFold(value, want) {
			compared = append(compared, name)
			return
		}
		wrong = append(wrong, fmt.Sprintf("%s: expected %s, and there is %s", name, orNothing(want), orNothing(value)))
	}
	if v.Canonical != "" {
		compare("canonical_bytes_hex", v.Canonical, hex.EncodeToString(got.canonical))
	}
	if v.Hash != "" {
		compare("hash_hex", v.Hash, got.hash)
	}
	for _, name := range slices.Sorted(maps.Keys(v.Steps)) {
		compare(name, v.Steps[name], got.steps[name])
	}
	// The reference has intermediate values among the inputs.
	var inputs map[string]json.RawMessage
	_ = json.Unmarshal(v.Inputs, &inputs) // compute read it, so it is an object
	for _, name := range slices.Sorted(maps.Keys(got.steps)) {
		var text string
		if _, done := v.Steps[name]; !done && json.Unmarshal(inputs[name], &text) == nil {
			compare(name, text, got.steps[name])
		}
	}
	if len(wrong) > 0 {
		return "", errors.New(strings.Join(wrong, "; "))
	}
	if len(compared) == 0 {
		return "", errors.New("it holds no value to compare")
	}
	return strings.Join(append(compared, got.remarks...), ", "), nil
}

func orNothing(s string) string {
	if s == "" {
		return "nothing"
	}
	return s
}
