package openapi

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

//go:embed testdata/openapi.json
var trimmed []byte

// Description is OpenAI's description of the routes that are checked.
type Description struct {
	doc      map[string]any // as published, but for the trimming
	compiled map[string]*jsonschema.Schema

	// Suites send the same few texts in thousands of answers.
	known  sync.Map     // schema and text: nil, or what is wrong
	amount atomic.Int64 // of known
}

// Published is the description in testdata.
var Published = sync.OnceValues(func() (*Description, error) { return load(trimmed) })

// location is the name of the description towards the validator, which fetches
// nothing.
const location = "https://api.openai.com/openapi.json"

func load(text []byte) (*Description, error) {
	d := &Description{compiled: map[string]*jsonschema.Schema{}}
	if err := json.Unmarshal(text, &d.doc); err != nil {
		return nil, fmt.Errorf("openapi: the trimmed description cannot be read: %w", err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("openapi: the trimmed description cannot be read: %w", err)
	}
	amend(doc.(map[string]any))
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	if err := c.AddResource(location, doc); err != nil {
		return nil, fmt.Errorf("openapi: %w", err)
	}
	names := []string{failure, packedVectors}
	for _, r := range routes {
		names = append(names, r.request, r.document, r.event)
	}
	for _, name := range names {
		if name == "" {
			continue
		}
		if d.compiled[name], err = c.Compile(location + reference(name)); err != nil {
			return nil, fmt.Errorf("openapi: schema %s: %w", name, err)
		}
	}
	return d, nil
}

// validate checks a JSON text against a schema.
func (d *Description) validate(schema string, text []byte) error {
	if len(text) > maxKnownText {
		return d.judge(schema, text)
	}
	key := schema + " " + string(text)
	if verdict, ok := d.known.Load(key); ok {
		err, _ := verdict.(error)
		return err
	}
	err := d.judge(schema, text)
	if d.amount.Add(1) <= maxKnown {
		d.known.Store(key, err)
	}
	return err
}

func (d *Description) judge(schema string, text []byte) error {
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return fmt.Errorf("no JSON: %w: %s", err, clip(text))
	}
	if err := d.compiled[schema].Validate(v); err != nil {
		return fmt.Errorf("no %s: %w: %s", schema, err, clip(text))
	}
	return nil
}

// clip is the part of an answer that an error shows.
func clip(text []byte) []byte { return text[:min(len(text), shown)] }
