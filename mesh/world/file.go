package world

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"

	"github.com/culvert-net/culvert/internal/files"
)

// fileFormat is the only format of world files so far.
const fileFormat = 1

// file is a world file.
type file struct {
	Format  int64        `toml:"format"`
	ID      string       `toml:"id,omitempty"` // may be absent
	Phrase  string       `toml:"phrase"`
	Local   bool         `toml:"local"`
	Sandbox bool         `toml:"sandbox"`
	Seeds   []string     `toml:"seeds"`
	Mirrors []string     `toml:"mirrors"`
	Founder string       `toml:"founder,omitempty"` // may be absent
	Rules   RuleBundle   `toml:"rules"`
	Charter *charterFile `toml:"charter,omitempty"` // may be absent
}

// Load reads a world file. Errors name the file, and the line or the field.
func Load(path string) (*World, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("reading the world file: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, MaxFile+1))
	if err != nil {
		return nil, fmt.Errorf("reading the world file: %w", err)
	}
	w, err := Parse(data)
	if err != nil {
		return nil, fmt.Errorf("world file %s: %w", path, err)
	}
	return w, nil
}

// Parse reads the content of a world file.
func Parse(data []byte) (*World, error) {
	if len(data) > MaxFile {
		return nil, fmt.Errorf("it has more than %d bytes", MaxFile)
	}
	var f file
	meta, err := toml.NewDecoder(bytes.NewReader(data)).Decode(&f)
	if err != nil {
		return nil, err // toml's own text names line and key
	}
	// A newer format may have other fields, so it is looked at before them.
	if meta.IsDefined("format") && f.Format != fileFormat {
		return nil, &FieldError{Field: "format", Problem: fmt.Sprintf(
			"%d is not known; this program reads format %d, a newer one needs a newer program", f.Format, fileFormat)}
	}
	if err := checkKeys(meta); err != nil {
		return nil, err
	}
	return f.world()
}

// checkKeys compares the keys with the file's fields, letter by letter: the
// TOML decoder also takes keys in another case, and of two such at random.
func checkKeys(meta toml.MetaData) error {
	known := tomlNames(reflect.TypeFor[file]())
	rules, charter, chain := tomlNames(reflect.TypeFor[RuleBundle]()), charterNames(), chainNames()
	for _, key := range meta.Keys() {
		switch {
		case len(key) == 1 && slices.Contains(known, key[0]):
		case len(key) == 2 && key[0] == "rules" && slices.Contains(rules, key[1]):
		case len(key) == 2 && key[0] == "charter" && slices.Contains(charter, key[1]):
		case len(key) == 3 && key[0] == "charter" && key[1] == "chain" && slices.Contains(chain, key[2]):
		default:
			return &FieldError{Field: key.String(), Problem: "unknown key"}
		}
	}
	// A rule left out would be 0, which is a rule too, and so another world.
	required := [][]string{{"format"}, {"phrase"}, {"rules"}}
	for _, name := range rules {
		required = append(required, []string{"rules", name})
	}
	if meta.IsDefined("charter") {
		for _, name := range charter {
			if name != "chain" {
				required = append(required, []string{"charter", name})
			}
		}
	}
	if meta.IsDefined("charter", "chain") {
		for _, name := range chain {
			required = append(required, []string{"charter", "chain", name})
		}
	}
	for _, key := range required {
		if !meta.IsDefined(key...) {
			return &FieldError{Field: toml.Key(key).String(), Problem: "missing"}
		}
	}
	return nil
}

// tomlNames are the names of a struct's fields in a world file, in order.
func tomlNames(t reflect.Type) []string {
	var names []string
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("toml"), ",")
		names = append(names, name)
	}
	return names
}

// world checks what was read.
func (f *file) world() (*World, error) {
	w := World{
		Phrase: f.Phrase, Rules: f.Rules,
		Seeds: f.Seeds, Mirrors: f.Mirrors, Local: f.Local, Sandbox: f.Sandbox,
	}
	// The TOML decoder wraps a negative number into a u64; show the one written.
	if ms := int64(w.Rules.EpochLenMS); ms < 0 {
		return nil, ruleError("epoch_len_ms", ms, "positive only")
	}
	if f.Founder != "" {
		if err := readHex(f.Founder, w.Founder[:]); err != nil {
			return nil, &FieldError{Field: "founder", Problem: err.Error()}
		}
		if w.Founder == [32]byte{} {
			return nil, &FieldError{Field: "founder", Problem: "a key of zeros is nobody's"}
		}
	}
	if f.Charter != nil {
		var err error
		if w.Charter, err = f.Charter.charter(); err != nil {
			return nil, err
		}
	}
	if f.ID != "" {
		var err error
		if w.ID, err = ParseHash(f.ID); err != nil {
			return nil, &FieldError{Field: "id", Problem: err.Error()}
		}
	}
	return New(w)
}

// Format is the content of w's world file.
func Format(w *World) ([]byte, error) {
	w, err := New(*w) // what is written must be readable
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	b.WriteString("# The world this node lives in. Phrase, rules and charter make its id: change one and\n" +
		"# it is another world. Seeds, mirrors, local and sandbox may differ from node to node.\n\n")
	var founder string
	if w.Founder != [32]byte{} {
		founder = hex.EncodeToString(w.Founder[:])
	}
	err = toml.NewEncoder(&b).Encode(file{
		Format: fileFormat, ID: w.ID.String(), Phrase: w.Phrase,
		Local: w.Local, Sandbox: w.Sandbox,
		Seeds: orEmpty(w.Seeds), Mirrors: orEmpty(w.Mirrors),
		Founder: founder, Rules: w.Rules, Charter: newCharterFile(w.Charter),
	})
	if err != nil {
		return nil, fmt.Errorf("writing a world as TOML: %w", err)
	}
	if b.Len() > MaxFile {
		return nil, errors.New("the world file would be larger than one may be; use fewer seeds")
	}
	return b.Bytes(), nil
}

// orEmpty makes an empty list appear in the file, where it invites an edit.
func orEmpty(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

// WriteFile writes w's world file: whole or not at all, readable by its owner
// only.
func WriteFile(path string, w *World) error {
	data, err := Format(w)
	if err != nil {
		return fmt.Errorf("world file %s: %w", path, err)
	}
	if err := files.Write(path, data, files.Private); err != nil {
		return fmt.Errorf("writing the world file: %w", err)
	}
	return nil
}
