package script

import (
	"bytes"
	"errors"
	"testing"
)

var nonce = NewNonce([NonceLength / 2]byte{1, 2, 3, 4, 5, 6, 7, 8})

func TestOrderComesBack(t *testing.T) {
	for _, o := range []Order{{}, {Tokens: 1}, {Tokens: 32, Rate: 50}, {Tokens: 1, Fill: 8 << 20}, {Tokens: 3, Pad: 1 << 20}} {
		prompt := o.Prompt(nonce)
		got, n, err := Parse(prompt)
		got.Pad = o.Pad // asks for nothing, so that it is not read
		if err != nil || got != o || n != nonce {
			t.Errorf("Parse(%+v) = %+v, %s, %v", o, got, n[:], err)
		}
		if bytes.ContainsAny(prompt, "\"\\\n") {
			t.Errorf("%+v needs escaping in JSON", o)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	whole := Order{Tokens: 5, Pad: 20}.Prompt(nonce)
	for _, tt := range []struct {
		name   string
		prompt []byte
	}{
		{"nothing", nil},
		{"no order", []byte("Hello, how are you today? I am fine, and who else is")},
		{"a nonce that looks like fields", []byte("bench x tokens=1 rate=2 fill=3 x tokens=1 rate=")},
		{"cut", whole[:len(whole)-1]},
		{"another nonce at the end", append(whole[:len(whole)-1:len(whole)-1], 'x')},
		{"no number", bytes.Replace(whole, []byte("tokens=5"), []byte("tokens=x"), 1)},
		{"below zero", bytes.Replace(whole, []byte("tokens=5"), []byte("tokens=-5"), 1)},
		{"too much", bytes.Replace(whole, []byte("tokens=5"), []byte("tokens=99999999999"), 1)},
		{"a field is missing", bytes.Replace(whole, []byte("rate=0 "), nil, 1)},
	} {
		if o, _, err := Parse(tt.prompt); err == nil {
			t.Errorf("%s: Parse = %+v, want an error", tt.name, o)
		}
	}
}

func TestTokens(t *testing.T) {
	text := AppendToken(nil, nonce, 0, 1)
	text = AppendToken(text, nonce, 1, 1<<62)
	at, rest, err := CutToken(text, nonce, 0)
	if at != 1 || err != nil {
		t.Fatalf("CutToken(0) = %d, %v", at, err)
	}
	if at, rest, err = CutToken(rest, nonce, 1); at != 1<<62 || len(rest) != 0 || err != nil {
		t.Fatalf("CutToken(1) = %d, %q, %v", at, rest, err)
	}
	other := nonce
	other[3] ^= 1
	for _, tt := range []struct {
		name string
		text string
		of   Nonce
		i    int
		want error
	}{
		{"empty", "", nonce, 0, ErrToken},
		{"not ended", string(bytes.TrimSpace(AppendToken(nil, nonce, 0, 1))), nonce, 0, ErrToken},
		{"another's", string(text), other, 0, ErrNonce},
		{"the next", string(text), nonce, 1, ErrOrder},
		{"no time", string(nonce[:]) + ".0 ", nonce, 0, ErrToken},
		{"no number", string(nonce[:]) + ".@1 ", nonce, 0, ErrToken},
		{"a number too long", string(nonce[:]) + ".0@99999999999999999999 ", nonce, 0, ErrToken},
		{"an overflow", string(nonce[:]) + ".0@9999999999999999999 ", nonce, 0, ErrToken},
	} {
		if _, _, err := CutToken([]byte(tt.text), tt.of, tt.i); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
}

func TestFill(t *testing.T) {
	for _, n := range []int{0, 1, len(filling) - 1, len(filling), len(filling) + 1, 1000} {
		if got := AppendFill(nil, n); len(got) != n || bytes.ContainsAny(got, " \"\\") {
			t.Errorf("AppendFill(%d) = %d bytes: %q", n, len(got), got)
		}
	}
	// A part that is lost shifts all that follows.
	if text := AppendFill(nil, 2*len(filling)); bytes.Equal(text[:len(filling)-1], text[1:len(filling)]) {
		t.Error("filling that is shifted looks the same")
	}
}

func FuzzParse(f *testing.F) {
	f.Add(Order{Tokens: 5, Rate: 50, Pad: 3}.Prompt(nonce))
	f.Add([]byte("bench "))
	f.Fuzz(func(t *testing.T, prompt []byte) {
		o, n, err := Parse(prompt)
		if err != nil {
			return
		}
		again, m, err := Parse(o.Prompt(n))
		if err != nil || again != o || m != n {
			t.Errorf("Parse(%q) = %+v, which is read back as %+v, %v", prompt, o, again, err)
		}
	})
}

func FuzzCutToken(f *testing.F) {
	f.Add(AppendToken(nil, nonce, 7, 1234), 7)
	f.Fuzz(func(t *testing.T, text []byte, i int) {
		at, rest, err := CutToken(text, nonce, i)
		if err != nil {
			return
		}
		// Leading zeros of numbers are let pass.
		if whole := append(AppendToken(nil, nonce, i, at), rest...); len(whole) > len(text) {
			t.Errorf("CutToken(%q) = %d, %q, more than there was", text, at, rest)
		}
	})
}
