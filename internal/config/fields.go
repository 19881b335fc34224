package config

import (
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// field is one key of a configuration.
type field struct {
	key   string // section.name, or name
	doc   string
	flag  string // without dashes; empty: no flag
	host  bool   // a URL of which only scheme and host are shown: the rest may be a key
	value reflect.Value
}

// section is a run of fields under one [header]; name is empty for the keys
// before the first.
type section struct {
	name, doc string
	fields    []*field
	value     reflect.Value // the struct; not set for the keys before the first
}

var (
	durationType = reflect.TypeFor[time.Duration]()
	secretType   = reflect.TypeFor[Secret]()
	stringsType  = reflect.TypeFor[[]string]()
)

// sections lists the keys of the struct that cfg points to, in its order.
func sections(cfg any) []section {
	v := reflect.ValueOf(cfg)
	if v.Kind() != reflect.Pointer || v.Elem().Kind() != reflect.Struct {
		panic(fmt.Sprintf("config: %T is not a pointer to a struct", cfg))
	}
	top := section{}
	var rest []section
	for f, value := range v.Elem().Fields() {
		if value.Kind() == reflect.Struct && value.Type() != secretType {
			s := section{name: tag(f, "toml"), doc: f.Tag.Get("doc"), value: value}
			s.fields = inSection(s.name+".", value)
			rest = append(rest, s)
			continue
		}
		top.fields = append(top.fields, newField("", f, value))
	}
	all := append([]section{top}, rest...)
	refuseTwins(all)
	return all
}

// inSection lists the keys of a section. Those of a struct that is embedded in it
// are its own.
func inSection(prefix string, section reflect.Value) (all []*field) {
	for f, value := range section.Fields() {
		if f.Anonymous && value.Kind() == reflect.Struct {
			all = append(all, inSection(prefix, value)...)
			continue
		}
		all = append(all, newField(prefix, f, value))
	}
	return all
}

// fields is sections without the grouping.
func fields(cfg any) []*field {
	var out []*field
	for _, s := range sections(cfg) {
		out = append(out, s.fields...)
	}
	return out
}

func newField(prefix string, f reflect.StructField, value reflect.Value) *field {
	out := &field{key: prefix + tag(f, "toml"), doc: f.Tag.Get("doc"), flag: f.Tag.Get("flag"), host: f.Tag.Get("show") == "host", value: value}
	if out.kind() == "" {
		panic(fmt.Sprintf("config: key %s has the type %s", out.key, value.Type()))
	}
	if out.secret() && out.flag != "" {
		panic(fmt.Sprintf("config: key %s is secret: a flag would show it in the process list", out.key))
	}
	return out
}

func tag(f reflect.StructField, name string) string {
	t := f.Tag.Get(name)
	if t == "" || strings.ContainsAny(t, ",. ") || !f.IsExported() {
		panic(fmt.Sprintf("config: field %s needs a plain %s tag and an exported name", f.Name, name))
	}
	return t
}

// refuseTwins panics if two keys share a variable, as a.b_c and a_b.c would.
func refuseTwins(all []section) {
	seen := make(map[string]string)
	for _, s := range all {
		for _, f := range s.fields {
			v := f.variable("")
			if seen[v] != "" {
				panic(fmt.Sprintf("config: keys %s and %s have the same variable", seen[v], f.key))
			}
			seen[v] = f.key
		}
	}
}

func (f *field) secret() bool { return f.value.Type() == secretType }

// kind names the field's type for people; empty if it is not supported.
func (f *field) kind() string {
	switch t := f.value.Type(); {
	case t == durationType:
		return "duration"
	case t == secretType:
		return "secret"
	case t == stringsType:
		return "list of strings"
	case t.Kind() == reflect.String:
		return "string"
	case t.Kind() == reflect.Int:
		return "int"
	case t.Kind() == reflect.Float64:
		return "number"
	case t.Kind() == reflect.Bool:
		return "bool"
	}
	return ""
}

// variable is the field's name in the environment of program.
func (f *field) variable(program string) string {
	return prefix(program) + strings.ToUpper(strings.NewReplacer(".", "_", "-", "_").Replace(f.key))
}

// prefix is how a program's variables begin.
func prefix(program string) string {
	return "CULVERT_" + strings.ToUpper(strings.ReplaceAll(program, "-", "_")) + "_"
}

// setText sets the field from the text of a flag or variable. Errors say what
// was expected and repeat the text unless it is secret.
func (f *field) setText(text string) error {
	switch f.kind() {
	case "duration":
		d, err := time.ParseDuration(text)
		if err != nil {
			return fmt.Errorf("%q is not a duration such as 30s or 5m", text)
		}
		f.value.SetInt(int64(d))
	case "secret":
		f.value.Set(reflect.ValueOf(NewSecret(text)))
	case "list of strings":
		f.value.Set(reflect.ValueOf(splitList(text)))
	case "string":
		f.value.SetString(text)
	case "int":
		n, err := strconv.Atoi(text)
		if err != nil {
			return fmt.Errorf("%q is not a whole number", text)
		}
		f.value.SetInt(int64(n))
	case "number":
		x, err := strconv.ParseFloat(text, 64)
		if err != nil || math.IsNaN(x) || math.IsInf(x, 0) {
			return fmt.Errorf("%q is not a number", text)
		}
		f.value.SetFloat(x)
	case "bool":
		b, err := strconv.ParseBool(text)
		if err != nil {
			return fmt.Errorf("%q is not true or false", text)
		}
		f.value.SetBool(b)
	}
	return nil
}

// splitList splits at commas; an empty text is an empty list.
func splitList(text string) []string {
	out := []string{}
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}

// setTOML sets the field from a value of a TOML file.
func (f *field) setTOML(v any) error {
	switch got := v.(type) {
	case string:
		switch f.kind() {
		case "string", "secret", "duration":
			return f.setText(got)
		}
	case int64:
		if f.kind() == "int" {
			if int64(int(got)) != got {
				return fmt.Errorf("%d does not fit", got)
			}
			f.value.SetInt(got)
			return nil
		}
		if f.kind() == "number" {
			f.value.SetFloat(float64(got))
			return nil
		}
		if f.kind() == "duration" {
			return fmt.Errorf("a duration needs a unit: write \"%ds\", not %d", got, got)
		}
	case float64:
		if f.kind() == "number" {
			return f.setText(strconv.FormatFloat(got, 'g', -1, 64))
		}
	case bool:
		if f.kind() == "bool" {
			f.value.SetBool(got)
			return nil
		}
	case []any:
		if f.kind() == "list of strings" {
			return f.setList(got)
		}
	}
	return fmt.Errorf("must be a value of type %s, not a %s", f.kind(), tomlType(v))
}

func (f *field) setList(list []any) error {
	out := make([]string, 0, len(list))
	for _, v := range list {
		s, ok := v.(string)
		if !ok {
			return fmt.Errorf("must be a list of strings, but a %s is in it", tomlType(v))
		}
		out = append(out, s)
	}
	f.value.Set(reflect.ValueOf(out))
	return nil
}

// tomlType names the type of a decoded value as TOML's documents do.
func tomlType(v any) string {
	switch v.(type) {
	case string:
		return "string"
	case int64:
		return "whole number"
	case float64:
		return "number with a fraction"
	case bool:
		return "bool"
	case []any, []map[string]any:
		return "list"
	case map[string]any:
		return "section"
	}
	return "date or time"
}
