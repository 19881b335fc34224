package openai

import (
	"bytes"
	"io"
	"strings"
)

// blacken reads src and puts stars in the place of our key for the server. Some
// servers repeat the key they were sent in an error, and an error may come
// within an answer that has begun; who reads it is not who pays. The length
// stays, and so no event waits: what is kept back begins like the key.
type blacken struct {
	src  io.Reader
	key  []byte
	buf  []byte
	out  []byte // of buf: what may be read
	held []byte // begins like the key, and has not all come
	err  error  // what follows out
}

// newBlacken returns src itself for a key that is no secret.
func newBlacken(src io.Reader, key string) io.Reader {
	// People write "ollama" or "sk-no-key-required" where a key is asked for and
	// not needed, and a model may say such words.
	if len(key) < minSecret || !strings.ContainsAny(key, "0123456789") {
		return src
	}
	return &blacken{src: src, key: []byte(key), buf: make([]byte, blackenBuffer+len(key))}
}

func (b *blacken) Read(p []byte) (int, error) {
	for len(b.out) == 0 {
		if b.err != nil {
			return 0, b.err
		}
		n := copy(b.buf, b.held)
		more, err := b.src.Read(b.buf[n:min(len(b.buf), n+len(p))])
		b.out, b.err = b.buf[:n+more], err
		for rest := b.out; ; {
			at := bytes.Index(rest, b.key)
			if at < 0 {
				break
			}
			copy(rest[at:], bytes.Repeat([]byte{'*'}, len(b.key)))
			rest = rest[at+len(b.key):]
		}
		b.held = nil
		if err == nil {
			keep := b.begun(b.out)
			b.held = bytes.Clone(b.out[len(b.out)-keep:])
			b.out = b.out[:len(b.out)-keep]
		}
	}
	n := copy(p, b.out)
	b.out = b.out[n:]
	return n, nil
}

// begun is how many bytes at the end of text may be the beginning of the key.
func (b *blacken) begun(text []byte) int {
	for n := min(len(text), len(b.key)-1); n > 0; n-- {
		if bytes.HasSuffix(text, b.key[:n]) {
			return n
		}
	}
	return 0
}
