package e2e

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/hex"
	"io"
	"strings"
	"sync"
	"testing"
	"unicode/utf16"

	"github.com/culvert-net/culvert/circuit"
	"github.com/culvert-net/culvert/internal/app/node"
	"github.com/culvert-net/culvert/mesh"
)

// tape records everything one relay reads from and writes to its links.
type tape struct {
	mu    sync.Mutex
	links []*tapped // guarded by mu
}

// tapped is a link with a record of both directions.
type tapped struct {
	circuit.Link

	mu            sync.Mutex
	read, written []byte // guarded by mu while the relay runs
}

func (l *tapped) Read(p []byte) (int, error) {
	n, err := l.Link.Read(p)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.read = append(l.read, p[:n]...)
	return n, err
}

func (l *tapped) Write(p []byte) (int, error) {
	l.mu.Lock()
	l.written = append(l.written, p...)
	l.mu.Unlock()
	return l.Link.Write(p)
}

func (tp *tape) add(l circuit.Link) circuit.Link {
	tp.mu.Lock()
	defer tp.mu.Unlock()
	t := &tapped{Link: l}
	tp.links = append(tp.links, t)
	return t
}

// bytes is how much was recorded.
func (tp *tape) bytes() int {
	n := 0
	for _, l := range tp.links {
		n += len(l.read) + len(l.written)
	}
	return n
}

// tappedLinks puts each link of a relay on its tape.
type tappedLinks struct {
	circuit.Links
	tape *tape
}

func (l *tappedLinks) Open(ctx context.Context, to [32]byte) (circuit.Link, error) {
	link, err := l.Links.Open(ctx, to)
	if err != nil {
		return nil, err
	}
	return l.tape.add(link), nil
}

func (l *tappedLinks) Accept(ctx context.Context) (circuit.Link, error) {
	link, err := l.Links.Accept(ctx)
	if err != nil {
		return nil, err
	}
	return l.tape.add(link), nil
}

// keys are the transport keys of the sandbox's gateways, by name.
func (w *local) keys(t *testing.T) map[string][32]byte {
	t.Helper()
	keys := make(map[string][32]byte)
	for name, dir := range w.ready.Dirs {
		if name == "bridge" {
			continue
		}
		key, err := node.EnsureKey(dir)
		if err != nil {
			t.Fatal(err)
		}
		keys[name] = [32]byte(key.Public().(ed25519.PublicKey))
	}
	return keys
}

// otherKey names a node whose key or peer id is in record, those of allowed
// apart.
func otherKey(record []byte, keys map[string][32]byte, allowed ...[32]byte) string {
	for name, key := range keys {
		ok := false
		for _, a := range allowed {
			ok = ok || a == key
		}
		if ok {
			continue
		}
		for _, form := range []string{string(key[:]), hex.EncodeToString(key[:]), mesh.PeerID(key), base64.RawURLEncoding.EncodeToString(key[:])[:42]} {
			if bytes.Contains(record, []byte(form)) {
				return name
			}
		}
	}
	return ""
}

// finder looks for a word in every dress it could be in.
type finder struct {
	word    string
	dresses map[string]string // pattern to name
}

func newFinder(word string) *finder {
	f := &finder{word: word, dresses: map[string]string{
		word:                             "raw",
		hex.EncodeToString([]byte(word)): "hex",
		strings.ToUpper(hex.EncodeToString([]byte(word))): "upper-case hex",
	}}
	// In base64 a word looks different at each of three places; the letters at
	// its ends depend on its neighbours.
	for shift := range 3 {
		text := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("\x00", shift) + word))
		text = strings.TrimRight(text, "=")
		f.dresses[text[(shift*8+5)/6:len(text)-1]] = "base64"
	}
	var little, big []byte
	for _, u := range utf16.Encode([]rune(word)) {
		little, big = append(little, byte(u), byte(u>>8)), append(big, byte(u>>8), byte(u))
	}
	f.dresses[string(little)], f.dresses[string(big)] = "UTF-16", "UTF-16"
	return f
}

// find returns the word if it is in record, and how.
func (f *finder) find(record []byte) (word, dress string) {
	if word, dress = f.plain(record); word != "" {
		return word, dress
	}
	for rest := record; ; {
		at := bytes.Index(rest, []byte{0x1f, 0x8b, 0x08})
		if at < 0 {
			return "", ""
		}
		rest = rest[at:]
		if z, err := gzip.NewReader(bytes.NewReader(rest)); err == nil {
			// What can be unpacked counts, whole or not.
			text, _ := io.ReadAll(io.LimitReader(z, 1<<20))
			if word, dress = f.plain(text); word != "" {
				return word, "gzip and " + dress
			}
		}
		rest = rest[1:]
	}
}

func (f *finder) plain(record []byte) (word, dress string) {
	for pattern, name := range f.dresses {
		if bytes.Contains(record, []byte(pattern)) {
			return f.word, name
		}
	}
	return "", ""
}

// The finder must find: each dress is put into noise once.
func TestFinderFinds(t *testing.T) {
	const word = "K7Q2MZP4XN6RB3TD5WJ8VH2C"
	f := newFinder(word)
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	_, _ = z.Write([]byte("before " + word + " after")) // memory takes everything
	_ = z.Close()
	wide := func(s string) string {
		var b []byte
		for _, c := range []byte(s) {
			b = append(b, c, 0)
		}
		return string(b)
	}
	for name, text := range map[string]string{
		"raw": word, "hex": hex.EncodeToString([]byte(word)), "gzip": zipped.String(), "UTF-16": wide(word),
		"base64 at 0": base64.StdEncoding.EncodeToString([]byte(word)),
		"base64 at 1": base64.StdEncoding.EncodeToString([]byte("{" + word + "}")),
		"base64 at 2": base64.URLEncoding.EncodeToString([]byte(`{"` + word + `"}`)),
	} {
		if got, _ := f.find([]byte("noise\x1f\x8b\x08" + text + "noise")); got != word {
			t.Errorf("%s is not found", name)
		}
	}
	if got, dress := f.find([]byte("nothing of the kind")); got != "" {
		t.Errorf("found %q as %s where it is not", got, dress)
	}
}
