package vectors

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/culvert-net/culvert/mesh/world"
)

// result is what the inputs of a vector make.
type result struct {
	canonical []byte
	hash      string            // hexadecimal; empty: the kind has none
	steps     map[string]string // every value in between, by name
	remarks   []string          // what the line should say besides
}

// kind is a sort of vector.
type kind struct {
	name        string
	description string
	compute     func(inputs json.RawMessage, given []byte) (*result, error)
}

// kinds are all of them: those of the reference under its names, then ours.
func kinds() []kind {
	return slices.Concat(namesKinds(), derivedKinds(), eventKinds(), statementKinds(), rosterKinds(), refusedKinds())
}

// find is the kind of a vector: the one it names, or the longest its name
// begins with, since the reference's names are kinds.
func find(named, vector string) (kind, error) {
	var best kind
	for _, k := range kinds() {
		switch {
		case named != "" && k.name == named:
			return k, nil
		case named == "" && strings.HasPrefix(vector, k.name) && len(k.name) > len(best.name):
			best = k
		}
	}
	if best.name == "" {
		return kind{}, fmt.Errorf("no such kind of vector is known: %q; nothing was checked", named+vector)
	}
	return best, nil
}

// of makes a compute function of one that wants its inputs read.
func of[T any](f func(T) (*result, error)) func(json.RawMessage, []byte) (*result, error) {
	return func(raw json.RawMessage, _ []byte) (*result, error) {
		var in T
		if err := json.Unmarshal(raw, &in); err != nil {
			return nil, fmt.Errorf("its inputs cannot be read: %w", err)
		}
		return f(in)
	}
}

// octets is a byte string, written in hexadecimal.
type octets []byte

// MarshalText writes hexadecimal digits.
func (o octets) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, o), nil }

// UnmarshalText reads hexadecimal digits.
func (o *octets) UnmarshalText(text []byte) (err error) {
	*o, err = hex.AppendDecode(nil, text)
	return err
}

// number is a u64. Those that a JSON reader with floats would spoil are written
// as a string.
type number uint64

const exact = 1<<53 - 1 // the last integer before floats leave some out

// MarshalJSON writes a number or a string.
func (n number) MarshalJSON() ([]byte, error) {
	s := strconv.FormatUint(uint64(n), 10)
	if n > exact {
		s = strconv.Quote(s)
	}
	return []byte(s), nil
}

// UnmarshalJSON reads a number or a string.
func (n *number) UnmarshalJSON(b []byte) error {
	v, err := strconv.ParseUint(strings.Trim(string(b), `"`), 10, 64)
	*n = number(v)
	return err
}

// jsonNames are the names of a struct's fields in JSON.
func jsonNames(of any) []string {
	var names []string
	t := reflect.TypeOf(of)
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		names = append(names, name)
	}
	return names
}

// hexed writes names and byte strings as steps.
func hexed(pairs ...any) map[string]string {
	steps := make(map[string]string, len(pairs)/2)
	for i := 0; i < len(pairs); i += 2 {
		switch v := pairs[i+1].(type) {
		case string:
			steps[pairs[i].(string)] = v
		case []byte:
			steps[pairs[i].(string)] = hex.EncodeToString(v)
		case world.Hash:
			steps[pairs[i].(string)] = v.String()
		default:
			panic(fmt.Sprintf("vectors: a step of type %T", v))
		}
	}
	return steps
}
