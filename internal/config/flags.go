package config

import (
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/spf13/pflag"
)

// Bind makes a flag for every field of cfg that has a flag tag. cfg is not
// touched when flags are parsed: Load takes them over, after file and
// environment.
func Bind(flags *pflag.FlagSet, cfg any) {
	for _, f := range fields(cfg) {
		if f.flag == "" {
			continue
		}
		v := &flagValue{like: f, text: plain(f)}
		pf := flags.VarPF(v, f.flag, "", f.doc)
		if f.kind() == "bool" {
			pf.NoOptDefVal = "true"
		}
	}
}

// flagValue keeps a flag's text until Load takes it. It implements
// pflag.Value.
type flagValue struct {
	like *field // says what texts are allowed
	text string
	set  bool // text is the user's, no more the default
}

func (v *flagValue) String() string { return v.text }

func (v *flagValue) Type() string {
	if v.like.kind() == "list of strings" {
		return "strings"
	}
	return v.like.kind()
}

// Set checks the text at once, so that a bad flag is reported as one. A list's
// flag may be given more than once.
func (v *flagValue) Set(text string) error {
	scratch := &field{key: v.like.key, value: reflect.New(v.like.value.Type()).Elem()}
	if err := scratch.setText(text); err != nil {
		return err
	}
	if v.set && v.like.kind() == "list of strings" {
		text = v.text + "," + text
	}
	v.text, v.set = text, true
	return nil
}

// plain is a field's value as setText would read it.
func plain(f *field) string {
	switch v := f.value.Interface().(type) {
	case []string:
		return strings.Join(v, ",")
	case time.Duration:
		return shortDuration(v)
	default:
		return fmt.Sprint(v)
	}
}
