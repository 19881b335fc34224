package openai

import (
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"
)

// variants are documents like text with long runs in their strings, whole and
// with one byte changed, taken out or put in.
func variants(text string, rnd *rand.Rand) []string {
	all := []string{text}
	for range 200 {
		i, c := rnd.IntN(len(text)), ` "\{}[]:,u0a8e+-.xé`[rnd.IntN(19)]
		all = append(all, text[:i]+string(c)+text[i+1:], text[:i]+text[i+1:], text[:i]+string(c)+text[i:], text[:i])
	}
	return all
}

// Valid says of every document what json.Valid says of it.
func TestValid(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	long := strings.Repeat("plain text, and more of it ", 60)
	valid, all := 0, 0
	for _, text := range []string{
		`{"a":"` + long + `","b":[1,2.5e-3,true,null],"c":"` + long + `\n\"` + long + `\u00e9"}`,
		`["` + long + `","\u12","\ud83d\ude00` + long + `","\\",` + `"` + long + `\\"]`,
		`"` + long + "\x01" + long + `"`,
		`"` + long + `é` + "\xff" + long + `"`,
		`{"` + long + `":{"":[[["` + long + `"]]]}} `,
		`"` + long, `"` + long + `\`, long, strings.Repeat("[", 2000), strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000),
	} {
		for _, v := range variants(text, rnd) {
			all++
			want := json.Valid([]byte(v))
			if want {
				valid++
			}
			if got := Valid([]byte(v)); got != want {
				t.Fatalf("Valid is %v, json.Valid %v: %q", got, want, v)
			}
		}
	}
	if valid < 500 || valid > all-500 {
		t.Errorf("%d of %d documents are valid, so little was compared", valid, all)
	}
}

// A document that has little text to leave out costs no second one in memory:
// what waits to be looked at is counted once.
func TestValidTakesLittleMemory(t *testing.T) {
	for _, piece := range []string{`"",`, `"a":"bcdefghijkl",`, `1,`, `"\n\n\n\n",`, `"` + strings.Repeat("some text ", 20) + `",`} {
		doc := []byte("[" + strings.Repeat(piece, 1<<20/len(piece)) + "0]")
		if out := shortened(doc); &out[0] != &doc[0] && cap(out) > len(doc)/shorter {
			t.Errorf("a copy of %d bytes of a document of %d, of many %s", cap(out), len(doc), piece)
		}
	}
}

// TextEnd finds what a loop over bytes finds.
func TestTextEnd(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	for range 20_000 {
		b := make([]byte, rnd.IntN(40))
		for i := range b {
			b[i] = byte(rnd.IntN(256))
			if rnd.IntN(4) > 0 {
				b[i] |= 0x80 // few that end a run
			}
		}
		for i := range len(b) + 1 {
			want := i
			for want < len(b) && b[want] != '"' && b[want] != '\\' && b[want] >= ' ' {
				want++
			}
			if got := TextEnd(b, i); got != want {
				t.Fatalf("TextEnd(%q, %d) = %d, want %d", b, i, got, want)
			}
		}
	}
}

func FuzzValid(f *testing.F) {
	long := strings.Repeat("x", longDocument)
	f.Add(`{"a":"\u00e9"}`, uint16(5))
	f.Add(`["\\","\"",1]`, uint16(2))
	f.Add("\"\x00\"", uint16(1))
	f.Fuzz(func(t *testing.T, text string, at uint16) {
		i := int(at) % (len(text) + 1)
		doc := []byte(text[:i] + long + text[i:])
		if got, want := Valid(doc), json.Valid(doc); got != want {
			t.Errorf("Valid is %v, json.Valid %v: %q with %d x at %d", got, want, text, len(long), i)
		}
	})
}

func BenchmarkValid(b *testing.B) {
	doc := []byte(`{"choices":[{"message":{"content":"` + strings.Repeat(`Some lines of text, as models write them, and then one more.\n`, 1<<20/60) + `"}}]}`)
	for name, valid := range map[string]func([]byte) bool{"ours": Valid, "json": json.Valid} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(doc)))
			for b.Loop() {
				if !valid(doc) {
					b.Fatal("not valid")
				}
			}
		})
	}
}
