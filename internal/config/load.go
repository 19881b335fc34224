package config

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

// Options says where to look.
type Options struct {
	// Program is the program's name as it stands in variables: bridge, gateway.
	Program string

	// File is the config.toml. A missing one is the same as an empty one,
	// unless Required.
	File     string
	Required bool

	// Environ is the environment, as os.Environ returns it.
	Environ []string

	// Flags were made by Bind and have been parsed; nil: no flags.
	Flags *pflag.FlagSet

	// Also, if set, checks what Check cannot: how the configuration fits what
	// else the program reads.
	Also func() error
}

// Origins says where the value of each key comes from: "default", "file", a
// variable's name or a flag's.
type Origins map[string]string

// Where a value can come from, besides a flag or variable.
const (
	fromDefault = "default"
	fromFile    = "file"
)

// validator is what a configuration, or a section of one, may be.
type validator interface{ Validate() error }

// Load completes cfg, which holds the defaults, from file, environment and
// flags, and checks it (see Check).
//
// Errors are *Error, those of reading the file, or those of a check that names
// no key. cfg is of no use after one.
func Load(cfg any, o Options) (Origins, error) {
	all := make(map[string]*field)
	origins := make(Origins)
	for _, f := range fields(cfg) {
		all[f.key] = f
		origins[f.key] = fromDefault
	}
	text, err := loadFile(all, o, origins)
	if err != nil {
		return nil, err
	}
	if err := loadEnviron(all, o, origins); err != nil {
		return nil, err
	}
	if err := loadFlags(all, o, origins); err != nil {
		return nil, err
	}
	err = Check(cfg, origins)
	if err == nil && o.Also != nil {
		err = Blame(o.Also(), origins)
	}
	if e, ok := errors.AsType[*Error](err); ok && e.Source == fromFile {
		e.File, e.Line, e.Source = o.File, line(text, strings.Split(e.Key, ".")), ""
	}
	if err != nil {
		return nil, err
	}
	return origins, nil
}

// Check asks the methods Validate() error of the sections of cfg, then that of
// cfg itself, which has the last word: bad combinations are refused there,
// naming both keys. In a section's At, the key is without the section. The
// error names where the value came from, if origins knows.
func Check(cfg any, origins Origins) error {
	for _, s := range sections(cfg) {
		if !s.value.IsValid() {
			continue
		}
		v, ok := s.value.Addr().Interface().(validator)
		if !ok {
			continue
		}
		err := v.Validate()
		if e, ok := errors.AsType[*Error](err); ok {
			e.Key = s.name + "." + e.Key
		}
		if err != nil {
			return Blame(err, origins)
		}
	}
	if v, ok := cfg.(validator); ok {
		return Blame(v.Validate(), origins)
	}
	return nil
}

// Blame adds where the value came from that an error of At is about.
func Blame(err error, origins Origins) error {
	if e, ok := errors.AsType[*Error](err); ok && origins[e.Key] != fromDefault {
		e.Source = origins[e.Key]
	}
	return err
}

// loadEnviron sets the fields that have a variable. A variable of this program
// that belongs to no key is a typing error, like an unknown key in the file.
func loadEnviron(all map[string]*field, o Options, origins Origins) error {
	byName := make(map[string]*field)
	for _, f := range all {
		byName[f.variable(o.Program)] = f
	}
	for _, e := range o.Environ {
		name, text, _ := strings.Cut(e, "=")
		if !strings.HasPrefix(name, prefix(o.Program)) {
			continue
		}
		f := byName[name]
		if f == nil {
			return &Error{Source: name, Problem: "unknown variable"}
		}
		if err := f.setText(text); err != nil {
			return &Error{Source: name, Key: f.key, Problem: err.Error()}
		}
		origins[f.key] = name
	}
	return nil
}

func loadFlags(all map[string]*field, o Options, origins Origins) error {
	if o.Flags == nil {
		return nil
	}
	for _, key := range slices.Sorted(maps.Keys(all)) {
		f := all[key]
		if f.flag == "" {
			continue
		}
		pf := o.Flags.Lookup(f.flag)
		if pf == nil || !pf.Changed {
			continue
		}
		v, ok := pf.Value.(*flagValue)
		if !ok {
			panic(fmt.Sprintf("config: flag --%s was not made by Bind", f.flag))
		}
		if err := f.setText(v.text); err != nil {
			return &Error{Source: "--" + f.flag, Key: f.key, Problem: err.Error()}
		}
		origins[f.key] = "--" + f.flag
	}
	return nil
}
