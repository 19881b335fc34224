package directory

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

const (
	onionA = "onion:1:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE"
	onionB = "onion:1:AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI"

	priceA = "price:0101010101010101010101010101010101010101010101010101010101010101"
	priceB = "price:0202020202020202020202020202020202020202020202020202020202020202"
	payA   = "pay:1:31337:0x00000000000000000000000000000000000000c1:0x00000000000000000000000000000000000000a1"
	payB   = "pay:1:31338:0x00000000000000000000000000000000000000c2:0x00000000000000000000000000000000000000a1"
)

func TestParseContact(t *testing.T) {
	key := publicOf(testKey(1))
	withPeer := strings.Replace(peerAddr(t, 1), "/tcp/5001", "/tcp/9", 1)
	c, err := parseContact([]string{
		"/ip4/192.0.2.1/tcp/4811", withPeer, "/somethingnew/7",
		"cap:vision", "cap:tools", "name:north-9", onionB + ":2000", onionA + ":1000", "seq:18446744073709551615",
		"onion:2:of-another-kind", priceA, payB, payA, "pay:2:of-another-kind", "future", "region:eu", "grüße:an alle",
	}, key)
	if err != nil {
		t.Fatal(err)
	}
	want := contact{
		addrs: []string{"/ip4/127.0.0.1/tcp/9", "/ip4/192.0.2.1/tcp/4811"},
		name:  "north-9", caps: []string{"tools", "vision"}, seq: 1<<64 - 1,
	}
	if !slices.Equal(c.addrs, want.addrs) || c.name != want.name || !slices.Equal(c.caps, want.caps) || c.seq != want.seq {
		t.Errorf("parseContact = %+v, want %+v", c, want)
	}
	if len(c.prices) != 1 || c.prices[0][31] != 1 || len(c.pay) != 2 || c.pay[0].ChainID != 31337 || c.pay[1].Contract[19] != 0xc2 || c.pay[0].Provider[19] != 0xa1 {
		t.Errorf("payment %+v, %+v", c.prices, c.pay)
	}
	if len(c.onion) != 2 || c.onion[0].Public[0] != 2 || c.onion[1].Public[0] != 1 || !c.onion[0].NotAfter.Equal(time.Unix(2000, 0)) {
		t.Errorf("onion keys %+v, want the newer one first", c.onion)
	}
	again, err := parseContact(c.lines(), key)
	if err != nil || !reflect.DeepEqual(again, c) {
		t.Errorf("after a round trip: %+v, %v, want %+v", again, err, c)
	}
}

func TestParseContactRefuses(t *testing.T) {
	good := []string{"/ip4/192.0.2.1/tcp/1", onionA + ":1", "seq:1"}
	if _, err := parseContact(good, [32]byte{}); err != nil {
		t.Fatal(err)
	}
	numbered := func(n int, form string) []string {
		var out []string
		for i := range n {
			out = append(out, strings.Replace(form, "#", string(rune('a'+i/26))+string(rune('a'+i%26)), 1))
		}
		return out
	}
	for name, lines := range map[string][]string{
		"no seq":                    good[:2],
		"no onion key":              {good[0], good[2]},
		"no address":                good[1:],
		"two seqs":                  append(good[:3:3], "seq:2"),
		"seq with a plus":           {good[0], good[1], "seq:+1"},
		"seq with a zero before":    {good[0], good[1], "seq:01"},
		"seq of nothing":            {good[0], good[1], "seq:"},
		"seq too large":             {good[0], good[1], "seq:18446744073709551616"},
		"two names":                 append(good[:3:3], "name:a", "name:b"),
		"name in capitals":          append(good[:3:3], "name:North"),
		"name with an escape":       append(good[:3:3], "name:\x1b[31m"),
		"name too long":             append(good[:3:3], "name:"+strings.Repeat("a", 33)),
		"empty name":                append(good[:3:3], "name:"),
		"empty capability":          append(good[:3:3], "cap:"),
		"capability with a space":   append(good[:3:3], "cap:a b"),
		"three onion keys":          append(good[:3:3], onionB+":1", "onion:1:AwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwM:1"),
		"one onion key twice":       append(good[:3:3], onionA+":2"),
		"onion key without time":    {good[0], onionA, "seq:1"},
		"onion key before 1970":     {good[0], onionA + ":-1", "seq:1"},
		"onion key padded":          {good[0], onionA + "=:1", "seq:1"},
		"onion key too short":       {good[0], "onion:1:AQEB:1", "seq:1"},
		"onion key in loose base64": {good[0], strings.TrimSuffix(onionA, "E") + "F:1", "seq:1"},
		"onion key with a newline":  {good[0], "onion:1:AQEB\nAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE:1", "seq:1"},
		"three price sheets":        append(good[:3:3], priceA, priceB, strings.Replace(priceA, "01", "03", 1)),
		"price of nothing":          append(good[:3:3], "price:"),
		"price too short":           append(good[:3:3], priceA[:len(priceA)-2]),
		"price too long":            append(good[:3:3], priceA+"01"),
		"price in capitals":         append(good[:3:3], strings.Replace(priceA, "01", "AB", 1)),
		"price that is no hash":     append(good[:3:3], strings.Replace(priceA, "01", "xy", 1)),
		"too many places to pay":    append(good[:3:3], payA, payB, strings.Replace(payA, "37", "39", 1), strings.Replace(payA, "37", "40", 1), strings.Replace(payA, "37", "41", 1)),
		"pay without provider":      append(good[:3:3], payA[:len(payA)-43]),
		"pay and more":              append(good[:3:3], payA+":1"),
		"pay on chain zero":         append(good[:3:3], strings.Replace(payA, "31337", "0", 1)),
		"pay on chain 007":          append(good[:3:3], strings.Replace(payA, "31337", "007", 1)),
		"pay to a name":             append(good[:3:3], strings.Replace(payA, "0x00", "0xzz", 1)),
		"pay to capitals":           append(good[:3:3], strings.Replace(payA, "c1:", "C1:", 1)),
		"pay without 0x":            append(good[:3:3], strings.Replace(payA, "0x", "", 1)),
		"pay to nobody":             append(good[:3:3], strings.Replace(payA, "a1", "00", 1)),
		"pay by no contract":        append(good[:3:3], strings.Replace(payA, "c1", "00", 1)),
		"another's address":         append(good[:3:3], peerAddr(t, 1)),
		"empty line":                append(good[:3:3], ""),
		"line too long":             append(good[:3:3], "x:"+strings.Repeat("a", maxLine)),
		"too many lines":            append(good[:3:3], numbered(maxLines-2, "x:#")...),
		"too many addresses":        append(good[:3:3], numbered(maxAddrs, "/dns4/#/tcp/1")...),
		"too many capabilities":     append(good[:3:3], numbered(maxCaps+1, "cap:#")...),
	} {
		if c, err := parseContact(lines, [32]byte{}); !errors.Is(err, ReasonContact) {
			t.Errorf("%s: %+v, %v, want ReasonContact", name, c, err)
		}
	}
}

// FuzzContact feeds contact lines: what is understood is written in lines that
// say the same.
func FuzzContact(f *testing.F) {
	f.Add("/ip4/192.0.2.1/tcp/1\n" + onionA + ":1\nseq:1\nname:a\ncap:tools")
	f.Add("/ip4/192.0.2.1/tcp/1\n" + onionA + ":1\nseq:1\n" + priceA + "\n" + priceB + "\n" + payA + "\n" + payB)
	f.Add(onionA + ":7\n" + onionB + ":7\nseq:0\n/dns4/a/tcp/1\nother:x")
	f.Fuzz(func(t *testing.T, text string) {
		lines := strings.Split(text, "\n")
		slices.Sort(lines)
		lines = slices.Compact(lines) // as they come out of a descriptor
		c, err := parseContact(lines, [32]byte{})
		if err != nil || len(c.addrs) == 0 {
			return
		}
		again, err := parseContact(c.lines(), [32]byte{})
		if err != nil || !reflect.DeepEqual(again, c) {
			t.Errorf("%q is %+v, which is written as %q and read as %+v, %v", lines, c, c.lines(), again, err)
		}
	})
}
