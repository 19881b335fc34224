package openai

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// However an answer is cut into reads, the key is not in it and all else is.
func TestBlacken(t *testing.T) {
	const key = "sk-proj-4f9a1b2c3d4e5f60718293"
	stars := strings.Repeat("*", len(key))
	for _, text := range []string{
		"", "plain", key, "a" + key, key + "b", key + key, key[:10], key[:10] + key, "sk-proj-" + key + "sk-proj-",
		`data: {"error":{"message":"Incorrect API key provided: ` + key + `"}}` + "\n\n", strings.Repeat("x", 40<<10) + key + "y",
	} {
		for name, src := range map[string]io.Reader{
			"whole": strings.NewReader(text), "bytes": iotest.OneByteReader(strings.NewReader(text)),
			"halves": iotest.HalfReader(strings.NewReader(text)), "with its end": iotest.DataErrReader(strings.NewReader(text)),
		} {
			got, err := io.ReadAll(newBlacken(src, key))
			if want := strings.ReplaceAll(text, key, stars); err != nil || string(got) != want {
				t.Errorf("%s: %.60q: %.80q, %v", name, text, got, err)
			}
		}
	}
	// What failed is told, behind what came.
	got, err := io.ReadAll(newBlacken(io.MultiReader(strings.NewReader("half "+key[:5]), iotest.ErrReader(io.ErrUnexpectedEOF)), key))
	if string(got) != "half "+key[:5] || err != io.ErrUnexpectedEOF {
		t.Errorf("cut: %q, %v", got, err)
	}
}

// An event does not wait for the next one, and words in a key's place are words.
func TestBlackenKeepsNothingBack(t *testing.T) {
	const key = "sk-proj-4f9a1b2c3d4e5f60718293"
	r, w := io.Pipe()
	b := newBlacken(r, key)
	go func() { _, _ = w.Write([]byte("data: x\n\n")) }()
	p := make([]byte, 100)
	if n, err := b.Read(p); err != nil || !bytes.Equal(p[:n], []byte("data: x\n\n")) {
		t.Errorf("Read = %q, %v", p[:n], err)
	}
	r.Close()
	for _, word := range []string{"", "ollama", "lm-studio", "sk-no-key-required-anywhere"} {
		src := strings.NewReader(word)
		if newBlacken(src, word) != io.Reader(src) {
			t.Errorf("%q is taken for a secret", word)
		}
	}
}
