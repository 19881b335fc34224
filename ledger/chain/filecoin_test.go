package chain

import (
	"errors"
	"strings"
	"testing"

	"github.com/culvert-net/culvert/ledger"
)

// The published pairs are those of Filecoin's address libraries (go-address,
// iso-filecoin, filecoin-solidity's FilAddresses, and Forest).
func TestFilecoinAddresses(t *testing.T) {
	for _, tt := range []struct {
		eth, fil string
		test     bool
	}{
		{"0xd388ab098ed3e84c0d808776440b48f685198498", "f410f2oekwcmo2pueydmaq53eic2i62crtbeyuzx2gmy", false},
		{"0xd388ab098ed3e84c0d808776440b48f685198498", "t410f2oekwcmo2pueydmaq53eic2i62crtbeyuzx2gmy", true},
		{"0x8dbd6c7ede90646a61bbc649831b7c298bfd37a0", "f410frw6wy7w6sbsguyn3yzeygg34fgf72n5ao5sxyky", false},
		{"0xd4c5fb16488aa48081296299d54b0c648c9333da", "f410f2tc7wfsirksibajjmkm5ksymmsgjgm62hjnomwa", false},
		{"0xff000000000000000000000000000000000013e0", "f05088", false},
		{"0xff00000000000000000000000000000000000064", "t0100", true},
		{"0xff00000000000000000000000000000000000001", "t01", true},
	} {
		a, err := ledger.ParseAddress(tt.eth)
		if err != nil {
			t.Fatal(err)
		}
		if got := ToFilecoin(a, tt.test); got != tt.fil {
			t.Errorf("ToFilecoin(%s) = %s, want %s", tt.eth, got, tt.fil)
		}
		for _, text := range []string{tt.fil, tt.eth} {
			if got, err := ParseAddress(text); err != nil || got != a {
				t.Errorf("ParseAddress(%s) = %v, %v, want %v", text, got, err, a)
			}
		}
	}
}

func TestFilecoinAddressRefuses(t *testing.T) {
	const good = "f410f2oekwcmo2pueydmaq53eic2i62crtbeyuzx2gmy"
	masked := ledger.Address{0: 0xff, 19: 7}
	sum := filecoinChecksum(masked)
	for _, tt := range []struct {
		text string
		want error
		says string
	}{
		{text: "", says: "begin with f or t"},
		{text: "f", says: "begin with f or t"},
		{text: "x410f2oekwcmo2pueydmaq53eic2i62crtbeyuzx2gmy", says: "begin with f or t"},
		{text: "f17uoq6tp427uzv7fztkbsnn64iwotfrristwpryy", want: ErrFilecoinKind},
		{text: "f411fq2oekwcmo2pueydmaq53eic2i62crtbeyuzx2gmy", want: ErrFilecoinKind},
		{text: strings.ToUpper(good), says: "begin with f or t"},
		{text: good[:len(good)-1], says: "39 letters"},
		{text: good + "a", says: "39 letters"},
		{text: good[:len(good)-1] + "z", says: "39 letters"}, // bits to spare
		{text: strings.Replace(good, "2oek", "2oea", 1), want: ErrFilecoinSum},
		{text: "f410f" + filecoinBase32().EncodeToString(append(masked[:], sum...)), says: "f0"},
		{text: "f0", says: "number"},
		{text: "f007", says: "number"},
		{text: "f0-1", says: "number"},
		{text: "f018446744073709551616", says: "number"},
		{text: "f" + strings.Repeat("0", 1000), says: "at most"},
	} {
		_, err := FromFilecoin(tt.text)
		if err == nil || tt.want != nil && !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("FromFilecoin(%.60q) = %v, want %v %q", tt.text, err, tt.want, tt.says)
		}
	}
	// Every letter changed by one is found by the checksum or the form.
	for i := 5; i < len(good); i++ {
		b := []byte(good)
		if b[i]++; b[i] == '{' || b[i] == '8' {
			b[i] = 'a'
		}
		if a, err := FromFilecoin(string(b)); err == nil {
			t.Errorf("FromFilecoin(%s) = %v, want an error", b, a)
		}
	}
}

func FuzzFilecoinAddress(f *testing.F) {
	f.Add("f410f2oekwcmo2pueydmaq53eic2i62crtbeyuzx2gmy")
	f.Add("t0100")
	f.Fuzz(func(t *testing.T, s string) {
		a, err := FromFilecoin(s)
		if err != nil {
			return
		}
		if got := ToFilecoin(a, s[0] == 't'); got != s {
			t.Errorf("%q is read as %v and written as %q", s, a, got)
		}
	})
}
