package vectors

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
)

// source says where our file comes from.
const source = "Culvert; written by mesh/vectors. Keys and seeds here are for tests only."

// example is a vector before it is computed.
type example struct {
	name   string
	kind   string
	inputs any
}

// Write computes our vectors. The bytes are the same every time.
func Write() ([]byte, error) {
	refusals, err := refusedExamples()
	if err != nil {
		return nil, err
	}
	f := file{Source: source}
	for _, e := range append(examples(), refusals...) {
		v, err := e.vector()
		if err != nil {
			return nil, fmt.Errorf("computing the vector %s: %w", e.name, err)
		}
		f.Vectors = append(f.Vectors, *v)
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	if err := enc.Encode(f); err != nil {
		return nil, fmt.Errorf("writing the vectors: %w", err)
	}
	return out.Bytes(), nil
}

func (e example) vector() (*vector, error) {
	k, err := find(e.kind, "")
	if err != nil {
		return nil, err
	}
	inputs, err := json.Marshal(e.inputs)
	if err != nil {
		return nil, err
	}
	got, err := k.compute(inputs, nil)
	if err != nil {
		return nil, err
	}
	return &vector{
		Name: e.name, Kind: e.kind, Description: k.description, Inputs: inputs,
		Steps: got.steps, Canonical: hex.EncodeToString(got.canonical), Hash: got.hash,
	}, nil
}
