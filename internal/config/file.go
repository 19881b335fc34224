package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/BurntSushi/toml"

	"github.com/culvert-net/culvert/internal/files"
)

// maxFile bounds a configuration file. Ours have a few kilobytes; a larger one
// is another file given by mistake.
const maxFile = 1 << 20

// loadFile sets the fields that stand in the file, and returns its text.
func loadFile(all map[string]*field, o Options, origins Origins) (text string, err error) {
	text, err = readFile(o.File)
	if errors.Is(err, fs.ErrNotExist) && !o.Required {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("reading configuration: %w", err)
	}
	return text, setFile(all, o.File, text, origins)
}

// setFile sets the fields that stand in the text of a file.
func setFile(all map[string]*field, file, text string, origins Origins) error {
	var tree map[string]any
	meta, err := toml.Decode(text, &tree)
	if err != nil {
		return syntaxError(file, err)
	}
	for _, k := range meta.Keys() {
		key := k.String()
		f := all[key]
		value := lookup(tree, k)
		if f == nil && isSection(all, key) {
			if _, ok := value.(map[string]any); !ok {
				return &Error{File: file, Line: line(text, k), Key: key, Problem: "is a section: write [" + key + "]"}
			}
			continue
		}
		if f == nil {
			return &Error{File: file, Line: line(text, k), Key: key, Problem: "unknown key"}
		}
		if err := f.setTOML(value); err != nil {
			return &Error{File: file, Line: line(text, k), Key: key, Problem: err.Error()}
		}
		if f.secret() {
			if err := files.CheckPrivate(file); err != nil {
				return &Error{File: file, Line: line(text, k), Key: key, Problem: "a secret in a file that is not private: " + err.Error()}
			}
		}
		origins[key] = fromFile
	}
	return nil
}

func readFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return "", err
	}
	if len(text) > maxFile {
		return "", fmt.Errorf("%s is larger than %d bytes", path, maxFile)
	}
	return string(text), nil
}

func syntaxError(file string, err error) error {
	if p, ok := errors.AsType[toml.ParseError](err); ok {
		return &Error{File: file, Line: p.Position.Line, Key: p.LastKey, Problem: p.Message}
	}
	return &Error{File: file, Problem: err.Error()}
}

// lookup returns the value of a key that the decoder has listed.
func lookup(tree map[string]any, key toml.Key) any {
	var v any = tree
	for _, k := range key {
		table, ok := v.(map[string]any)
		if !ok { // inside a list of tables, which no configuration has
			return nil
		}
		v = table[k]
	}
	return v
}

func isSection(all map[string]*field, key string) bool {
	for k := range all {
		if strings.HasPrefix(k, key+".") {
			return true
		}
	}
	return false
}

// line finds the line on which key is set, which the decoder does not tell:
// the first n lines in which it is defined end with its value. That costs a
// parse per line, for the one error of a start that fails.
func line(text string, key toml.Key) int {
	lines := strings.SplitAfter(text, "\n")
	for n := 1; n <= len(lines); n++ {
		var tree map[string]any
		meta, err := toml.Decode(strings.Join(lines[:n], ""), &tree)
		if err != nil || !meta.IsDefined(key...) {
			continue
		}
		// A value of several lines began higher up.
		for m := n; m > 0; m-- {
			if l := strings.TrimLeft(lines[m-1], " \t[\"'"); strings.HasPrefix(l, key[len(key)-1]) {
				return m
			}
		}
		return n
	}
	return 0
}
