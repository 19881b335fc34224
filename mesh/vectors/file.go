package vectors

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// vector is one entry of a file. The reference has no kind, its names are
// kinds; and no steps, its intermediate values stand among the inputs.
type vector struct {
	Name        string            `json:"name"`
	Kind        string            `json:"kind,omitempty"`
	Description string            `json:"description"`
	Inputs      json.RawMessage   `json:"inputs"`
	Steps       map[string]string `json:"steps,omitempty"`
	Canonical   string            `json:"canonical_bytes_hex"` // empty: does not apply
	Hash        string            `json:"hash_hex"`            // empty: does not apply
}

// file is ours and the object the reference's vectors are handed on in.
type file struct {
	Source  string   `json:"source"`
	Vectors []vector `json:"vectors"`
}

// parse reads an object with vectors, or the bare array the reference
// publishes.
func parse(data []byte) ([]vector, error) {
	if len(data) > MaxFile {
		return nil, fmt.Errorf("a file of vectors has at most %d bytes", MaxFile)
	}
	var list []vector
	if data = bytes.TrimSpace(data); len(data) > 0 && data[0] == '[' {
		if err := json.Unmarshal(data, &list); err != nil {
			return nil, fmt.Errorf("reading an array of vectors: %w", err)
		}
	} else {
		var f file
		if err := json.Unmarshal(data, &f); err != nil {
			return nil, fmt.Errorf("reading an object with vectors: %w", err)
		}
		list = f.Vectors
	}
	switch {
	case len(list) == 0:
		return nil, errors.New("there are no vectors in it; a file is an object with vectors, or an array of them")
	case len(list) > MaxVectors:
		return nil, fmt.Errorf("%d vectors; a file has at most %d", len(list), MaxVectors)
	}
	return list, nil
}
