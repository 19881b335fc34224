package mock

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"math"

	"github.com/culvert-net/culvert/api/backend"
	"github.com/culvert-net/culvert/api/openai"
)

const (
	// dimensions is how long a vector of the demo model is by default.
	dimensions = 32

	// maxDimensions bounds what may be asked for; real models stay below it.
	maxDimensions = 4096

	// notice stands in every answer with vectors, which cannot say it themselves.
	notice = "made-up vectors of Culvert's demonstration model: equal texts have equal ones, and nothing else can be read from them"
)

type embedding struct {
	Object string `json:"object"`
	Index  int    `json:"index"`
	Vector any    `json:"embedding"` // []float32, or the same in base64
}

// embed makes vectors that are the same for the same text, and mean nothing.
func embed(req *backend.Request) ([]byte, error) {
	var r struct {
		Input      json.RawMessage `json:"input"`
		Dimensions *int            `json:"dimensions"`
		Format     string          `json:"encoding_format"`
	}
	if err := json.Unmarshal(req.Body, &r); err != nil {
		return nil, openai.Invalid("", "dimensions and encoding_format must have the types OpenAI's API gives them")
	}
	size := dimensions
	if r.Dimensions != nil {
		size = *r.Dimensions
	}
	switch {
	case size < 1 || size > maxDimensions:
		return nil, openai.Invalid("dimensions", "dimensions must be a number from 1 to 4096")
	case r.Format != "" && r.Format != "float" && r.Format != "base64":
		return nil, openai.Invalid("encoding_format", "encoding_format must be float or base64")
	}
	var doc struct {
		Object string      `json:"object"`
		Data   []embedding `json:"data"`
		Model  string      `json:"model"`
		Usage  struct {
			Prompt int `json:"prompt_tokens"`
			Total  int `json:"total_tokens"`
		} `json:"usage"`
		Notice string `json:"notice"`
	}
	doc.Object, doc.Model, doc.Notice = "list", Model, notice
	for i, input := range inputs(r.Input, req.View.Inputs) {
		e := embedding{Object: "embedding", Index: i, Vector: vector(input, size)}
		if r.Format == "base64" {
			e.Vector = packed(vector(input, size))
		}
		doc.Data = append(doc.Data, e)
		doc.Usage.Prompt += max(1, len(tokens(plain(input))))
	}
	doc.Usage.Total = doc.Usage.Prompt
	text, err := json.Marshal(doc)
	if err != nil {
		panic("mock: plain structs always marshal: " + err.Error())
	}
	return text, nil
}

// inputs are the n inputs of a request, one by one.
func inputs(raw json.RawMessage, n int) []json.RawMessage {
	var all []json.RawMessage
	if json.Unmarshal(raw, &all) != nil || len(all) != n {
		return []json.RawMessage{raw} // one text, or the tokens of one
	}
	return all
}

// vector is of length one, and the same for the same input.
func vector(input []byte, size int) []float32 {
	v := make([]float32, size)
	var sum float64
	for i := range v {
		block := sha256.Sum256(binary.BigEndian.AppendUint32(input[:len(input):len(input)], uint32(i)))
		v[i] = float32(int16(binary.BigEndian.Uint16(block[:]))|1) / math.MaxInt16
		sum += float64(v[i]) * float64(v[i])
	}
	for i := range v {
		v[i] /= float32(math.Sqrt(sum))
	}
	return v
}

// packed is a vector as OpenAI packs it: 32-bit floats, little-endian, base64.
func packed(v []float32) string {
	var b []byte
	for _, f := range v {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(f))
	}
	return base64.StdEncoding.EncodeToString(b)
}
