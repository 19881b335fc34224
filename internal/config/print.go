package config

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Template writes a configuration file in which every key stands with its
// explanation and its present value. Only the keys in set, as section.name,
// are in force; the others are commented out and keep following the program's
// defaults. Load reads the file as it is. A key in set that does not exist is a
// mistake of the program, and panics.
func Template(w io.Writer, cfg any, set ...string) error {
	var b strings.Builder
	for i, s := range sections(cfg) {
		if len(s.fields) == 0 {
			continue
		}
		if b.Len() > 0 {
			b.WriteString("\n")
		}
		if i > 0 {
			comment(&b, s.doc)
			fmt.Fprintf(&b, "[%s]\n", s.name)
		}
		for n, f := range s.fields {
			if n > 0 || i > 0 {
				b.WriteString("\n")
			}
			comment(&b, f.doc)
			value, off := literal(f, whole), "# "
			if at := slices.Index(set, f.key); at >= 0 {
				set = slices.Delete(slices.Clone(set), at, at+1)
				off = ""
				if f.secret() { // the file is where secrets live
					value = quote(f.value.Interface().(Secret).Reveal())
				}
			}
			fmt.Fprintf(&b, "%s%s = %s\n", off, f.name(), value)
		}
	}
	if len(set) > 0 {
		panic(fmt.Sprintf("config: keys %v do not exist", set))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// Print writes the effective configuration as TOML, secrets masked, each key
// with its origin. So is what a URL has before its @, and after the host of one
// whose path may be a key.
func Print(w io.Writer, cfg any, origins Origins) error {
	var b strings.Builder
	for i, s := range sections(cfg) {
		if len(s.fields) == 0 {
			continue
		}
		if b.Len() > 0 {
			b.WriteString("\n")
		}
		if i > 0 {
			fmt.Fprintf(&b, "[%s]\n", s.name)
		}
		for _, f := range s.fields {
			fmt.Fprintf(&b, "%s = %s", f.name(), literal(f, f.mask))
			if o := origins[f.key]; o != "" {
				fmt.Fprintf(&b, " # %s", o)
			}
			b.WriteString("\n")
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// PrintJSON is Print as an array of objects with key, value and origin.
func PrintJSON(w io.Writer, cfg any, origins Origins) error {
	type entry struct {
		Key    string          `json:"key"`
		Value  json.RawMessage `json:"value"`
		Origin string          `json:"origin"`
	}
	all := []entry{}
	for _, s := range sections(cfg) {
		for _, f := range s.fields {
			value, err := json.Marshal(shown(f))
			if err != nil {
				return fmt.Errorf("%s: %w", f.key, err)
			}
			all = append(all, entry{f.key, value, origins[f.key]})
		}
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(all)
}

// shown is what literal shows, as a value.
func shown(f *field) any {
	switch v := f.value.Interface().(type) {
	case time.Duration:
		return shortDuration(v)
	case Secret:
		return v.String()
	case []string:
		all := make([]string, len(v))
		for i, s := range v {
			all[i] = f.mask(s)
		}
		return all
	}
	if f.kind() == "string" {
		return f.mask(f.value.String())
	}
	return f.value.Interface()
}

// mask hides what of a value may be a secret.
func (f *field) mask(value string) string {
	value = maskUser(value)
	if !f.host {
		return value
	}
	start := 0
	if i := strings.Index(value, "://"); i >= 0 {
		start = i + len("://")
	}
	end := strings.IndexAny(value[start:], "/?#")
	if end < 0 || value[start+end:] == "/" {
		return value
	}
	return value[:start+end] + "/" + masked
}

// maskUser hides user and password of a URL, up to the last @: a password may
// hold one itself. One that is not allowed there is refused by a program, but
// not where nothing reads the URL. No other value has an @.
func maskUser(value string) string {
	end := strings.LastIndexByte(value, '@')
	if end < 0 {
		return value
	}
	start := 0
	if i := strings.Index(value[:end], "://"); i >= 0 {
		start = i + len("://")
	}
	return value[:start] + masked + value[end:]
}

// whole shows a value as it is.
func whole(value string) string { return value }

// name is the key's last part, as it stands under its section's header.
func (f *field) name() string { return f.key[strings.LastIndexByte(f.key, '.')+1:] }

func comment(b *strings.Builder, doc string) {
	if doc == "" {
		return
	}
	for l := range strings.SplitSeq(doc, "\n") {
		b.WriteString(strings.TrimRight("# "+l, " ") + "\n")
	}
}

// literal is the field's value in TOML, its texts as show shows them.
func literal(f *field, show func(string) string) string {
	switch v := f.value.Interface().(type) {
	case time.Duration:
		return strconv.Quote(shortDuration(v))
	case Secret:
		return strconv.Quote(v.String())
	case []string:
		quoted := make([]string, len(v))
		for i, s := range v {
			quoted[i] = quote(show(s))
		}
		return "[" + strings.Join(quoted, ", ") + "]"
	}
	if f.kind() == "string" {
		return quote(show(f.value.String()))
	}
	return fmt.Sprint(f.value.Interface())
}

// shortDuration writes 5m, where time.Duration writes 5m0s.
func shortDuration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// quote writes a TOML basic string: like Go's, but control characters only as
// TOML knows them.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < ' ' || r == 0x7f:
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
