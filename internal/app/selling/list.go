package selling

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"

	"github.com/culvert-net/culvert/internal/files"
	"github.com/culvert-net/culvert/ledger"
)

// Price is what an owner asks for one model, per million tokens or images. A part
// that is nil was not said.
type Price struct {
	Input     *ledger.Amount `toml:"input"`     // required
	Cached    *ledger.Amount `toml:"cached"`    // else as Input
	Output    *ledger.Amount `toml:"output"`    // required
	Reasoning *ledger.Amount `toml:"reasoning"` // of what is not delivered; else nothing
	Image     *ledger.Amount `toml:"image"`     // else nothing
	Minimum   *ledger.Amount `toml:"minimum"`   // of one request; else nothing
}

// List is the file of prices.
type List struct {
	Free    bool             `toml:"free"`    // the owner says that nothing is asked for
	Default *Price           `toml:"default"` // of models that are not named; nil: they have none
	Models  map[string]Price `toml:"models"`
}

// ListFile is the file of prices in a gateway's data directory.
const ListFile = "prices.toml"

// ReadList reads a file of prices; one that is not there asks for nothing.
func ReadList(path string) (List, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return List{}, nil
	}
	if err != nil {
		return List{}, fmt.Errorf("reading prices: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxList+1))
	if err != nil {
		return List{}, fmt.Errorf("reading prices: %w", err)
	}
	l, err := ParseList(text)
	if err != nil {
		return List{}, fmt.Errorf("%s: %w", path, err)
	}
	return l, nil
}

// ParseList reads what Write writes and people edit.
func ParseList(text []byte) (List, error) {
	if len(text) > maxList {
		return List{}, fmt.Errorf("a file of prices has at most %d bytes", maxList)
	}
	var l List
	meta, err := toml.Decode(string(text), &l)
	if err != nil {
		return List{}, err
	}
	if rest := meta.Undecoded(); len(rest) > 0 {
		return List{}, fmt.Errorf("%s is not known; there are free = true, or [default] and [models.\"NAME\"], with input, cached, output, reasoning, image and minimum", rest[0])
	}
	return l, l.Check()
}

// Check reports what no sheet could say.
func (l List) Check() error {
	if l.Free && !l.free() {
		return errors.New("free = true and prices contradict each other; remove one of the two")
	}
	if l.Default != nil {
		if err := l.Default.check(); err != nil {
			return fmt.Errorf("[default]: %w", err)
		}
	}
	if len(l.Models) > ledger.MaxModels {
		return fmt.Errorf("%d models, at most %d fit on a price sheet", len(l.Models), ledger.MaxModels)
	}
	for _, name := range slices.Sorted(maps.Keys(l.Models)) {
		if !nameable(name) {
			return fmt.Errorf("[models.%q]: a model's name is 1 to %d printable ASCII characters without spaces", name, ledger.MaxModelName)
		}
		p := l.Models[name]
		if err := p.check(); err != nil {
			return fmt.Errorf("[models.%q]: %w", name, err)
		}
	}
	return nil
}

// nameable is what both a directory and a sheet take as the name of a model.
func nameable(name string) bool {
	return name != "" && len(name) <= ledger.MaxModelName && !strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r > '~' })
}

func (p *Price) check() error {
	if p.Input == nil || p.Output == nil {
		return errors.New("input and output are both needed, per million tokens, for example input = \"0.2 gwei\"")
	}
	return nil
}

// free reports whether the list asks for nothing, said or not.
func (l List) free() bool { return l.Default == nil && len(l.Models) == 0 }

// Unsaid reports whether the list neither asks for something nor says that all is
// free: it may be lost.
func (l List) Unsaid() bool { return l.free() && !l.Free }

// Of is the price of a model by the list.
func (l List) Of(model string) (ledger.ModelPrice, bool) {
	p, ok := l.Models[model]
	if !ok {
		if l.Default == nil {
			return ledger.ModelPrice{}, false
		}
		p = *l.Default
	}
	or := func(a *ledger.Amount, otherwise ledger.Amount) ledger.Amount {
		if a == nil {
			return otherwise
		}
		return *a
	}
	nothing := ledger.Amount{}
	return ledger.ModelPrice{
		Model: model, Input: *p.Input, Cached: or(p.Cached, *p.Input), Output: *p.Output,
		Reasoning: or(p.Reasoning, nothing), Image: or(p.Image, nothing), Minimum: or(p.Minimum, nothing),
	}, true
}

// models are the prices of a sheet for what is offered, in its order: of all models
// that the list names, and of those offered that the default is for, as far as
// there is room.
func (l List) models(offered []string) []ledger.ModelPrice {
	names := slices.Sorted(maps.Keys(l.Models))
	for _, name := range offered {
		if _, named := l.Models[name]; !named && nameable(name) && l.Default != nil && len(names) < ledger.MaxModels {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	var out []ledger.ModelPrice
	for _, name := range slices.Compact(names) {
		p, _ := l.Of(name) // each has one
		out = append(out, p)
	}
	return out
}

// Write replaces a file of prices. Comments in it are lost.
func (l List) Write(path string) error {
	if err := l.Check(); err != nil {
		return err
	}
	return files.Write(path, l.text(), files.Private)
}

func (l List) text() []byte {
	var b bytes.Buffer
	b.WriteString("# What this gateway asks for, per million tokens or images: \"0.2 gwei\", \"1 eth\" or wei.\n" +
		"# cached is input and the others are nothing where they are left out. Changes are\n# seen within seconds; what was published before holds until it ends.\n")
	if l.Free {
		b.WriteString("\nfree = true\n")
	}
	if l.Default != nil {
		b.WriteString("\n[default]\n")
		l.Default.text(&b)
	}
	for _, name := range slices.Sorted(maps.Keys(l.Models)) {
		// Printable ASCII, so only two characters need an escape.
		fmt.Fprintf(&b, "\n[models.\"%s\"]\n", strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(name))
		p := l.Models[name]
		p.text(&b)
	}
	return b.Bytes()
}

// Parts are the parts of a price by name, in the order of the file.
func (p *Price) Parts() []Part {
	return []Part{
		{"input", &p.Input},
		{"cached", &p.Cached},
		{"output", &p.Output},
		{"reasoning", &p.Reasoning},
		{"image", &p.Image},
		{"minimum", &p.Minimum},
	}
}

// Part is one amount of a Price, nil if it was not said.
type Part struct {
	Name   string
	Amount **ledger.Amount
}

func (p *Price) text(b *bytes.Buffer) {
	for _, part := range p.Parts() {
		if a := *part.Amount; a != nil {
			fmt.Fprintf(b, "%s = %q\n", part.Name, a.Format())
		}
	}
}
