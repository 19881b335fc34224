package world_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/culvert-net/culvert/mesh/world"
)

// Names of one thing differ by each of what they are derived from.
func TestDerivationsDependOnEverything(t *testing.T) {
	s, other := world.NewSecret([32]byte{1}), world.NewSecret([32]byte{2})
	w, w2, key, key2 := world.Hash{1}, world.Hash{2}, [32]byte{3}, [32]byte{4}
	for name, got := range map[string][]world.Hash{
		"fingerprint":   {world.Fingerprint(w, key), world.Fingerprint(w2, key), world.Fingerprint(w, key2)},
		"handle":        {world.Handle(s, w), world.Handle(other, w), world.Handle(s, w2)},
		"replica":       {world.ReplicaID(key, w, 1), world.ReplicaID(key2, w, 1), world.ReplicaID(key, w2, 1), world.ReplicaID(key, w, 2)},
		"keyed replica": {world.KeyedReplicaID(s, w, 1), world.KeyedReplicaID(other, w, 1), world.KeyedReplicaID(s, w2, 1), world.KeyedReplicaID(s, w, 2)},
		"bah": {
			world.BAH(w, 1, []byte{1}), world.BAH(w2, 1, []byte{1}), world.BAH(w, 2, []byte{1}), world.BAH(w, 1, []byte{2}),
			world.BAH(w, 1, []byte{1}, [64]byte{1}),
		},
		"keyed":  {s.Keyed("a"), s.Keyed("b"), s.Keyed("a", []byte{0}), other.Keyed("a")},
		"world2": {world.WorldIDWithCharter("a", w, w2), world.WorldIDWithCharter("a", w2, w), world.WorldIDWithCharter("b", w, w2), world.WorldID("2a", w)},
	} {
		for i, h := range got {
			if slices.Contains(got[:i], h) || h.IsZero() {
				t.Errorf("%s: case %d is the same as one before", name, i)
			}
		}
	}
	if world.BAH(w, 1, nil, [64]byte{1}, [64]byte{2}) != world.BAH(w, 1, nil, [64]byte{2}, [64]byte{1}, [64]byte{2}) {
		t.Error("the order of signatures is part of a BAH")
	}
}

func TestDerive(t *testing.T) {
	s := world.NewSecret([32]byte{1})
	seen := [][32]byte{s.Reveal()}
	for _, d := range []*world.Secret{
		s.Derive("a"), s.Derive("b"), s.Derive("a", []byte("b")), s.Derive("a", []byte("b"), nil),
		s.Derive("a", nil, []byte("b")), s.Derive("a", []byte("bc"), []byte("d")), s.Derive("a", []byte("b"), []byte("cd")),
		world.NewSecret([32]byte{2}).Derive("a"), world.RandomSecret(), world.RandomSecret(),
	} {
		if slices.Contains(seen, d.Reveal()) {
			t.Error("two secrets are the same")
		}
		seen = append(seen, d.Reveal())
	}
	if first, second := s.Derive("a"), s.Derive("a"); first.Reveal() != second.Reveal() {
		t.Error("Derive is not the same twice")
	}
	aead := s.AEAD()
	sealed := aead.Seal(nil, make([]byte, aead.NonceSize()), []byte("text"), nil)
	if out, err := s.AEAD().Open(nil, make([]byte, aead.NonceSize()), sealed, nil); err != nil || string(out) != "text" {
		t.Errorf("Open = %q, %v", out, err)
	}
}

func TestDomainsAreApart(t *testing.T) {
	doc, err := os.ReadFile("../../docs/spec/world.md")
	if err != nil {
		t.Fatal(err)
	}
	for i, d := range world.Domains() {
		for j, other := range world.Domains() {
			if i != j && strings.HasPrefix(string(d), string(other)) {
				t.Errorf("%s begins with %s", d, other)
			}
		}
		if !bytes.Contains(doc, []byte("| `"+string(d)+"` |")) {
			t.Errorf("docs/spec/world.md §4 lacks %s", d)
		}
	}
}

func TestTicket(t *testing.T) {
	w, key := world.Hash{1}, [32]byte{2}
	ticket, err := world.MakeTicket(t.Context(), w, 7, key, []byte("anchor"), 3)
	if err != nil {
		t.Fatal(err)
	}
	if err := ticket.Check(w, 7, key, 3); err != nil {
		t.Error(err)
	}
	back, err := world.ParseTicket(ticket.Bytes())
	if err != nil || back.Check(w, 7, key, 3) != nil {
		t.Errorf("ParseTicket = %+v, %v", back, err)
	}
	for name, err := range map[string]error{
		"another world": ticket.Check(world.Hash{2}, 7, key, 3),
		"another epoch": ticket.Check(w, 8, key, 3),
		"another key":   ticket.Check(w, 7, [32]byte{3}, 3),
	} {
		if !errors.Is(err, world.ErrTicketWrong) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// What is not as asked for is refused before anything is computed, so an
	// output that nobody computed gets the same answer.
	made := world.Ticket{Output: [32]byte{0x10}}
	if err := made.Check(w, 7, key, 4); !errors.Is(err, world.ErrTicketWork) {
		t.Errorf("too little work: %v", err)
	}
	made.Anchor = make([]byte, world.MaxAnchor+1)
	if err := made.Check(w, 7, key, 0); err == nil || errors.Is(err, world.ErrTicketWrong) {
		t.Errorf("an anchor too long: %v", err)
	}
	if err := ticket.Check(w, 7, key, world.MaxTicketBits+1); err == nil || errors.Is(err, world.ErrTicketWork) {
		t.Errorf("more work than a world may ask: %v", err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := world.MakeTicket(gone, w, 7, key, nil, 24); !errors.Is(err, context.Canceled) {
		t.Errorf("MakeTicket of one who left: %v", err)
	}
	for _, n := range []int{0, 63, 64 + world.MaxAnchor + 1} {
		if _, err := world.ParseTicket(make([]byte, n)); err == nil {
			t.Errorf("ParseTicket of %d bytes succeeded", n)
		}
	}
}

func TestWordList(t *testing.T) {
	list, err := os.ReadFile("english.txt")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := sha256.Sum256(list), "2f5eed53a4727b4bf8880d8f3f199efc90e58503646d9ff8eff3a2ed3b24dbda"; hex.EncodeToString(got[:]) != want {
		t.Errorf("english.txt has SHA-256 %x, and the published list %s", got, want)
	}
}

func TestPhraseAddress(t *testing.T) {
	for n := range world.MaxPhrasePayload + 1 {
		for _, fill := range []byte{0, 0x5a, 0xff} {
			payload := bytes.Repeat([]byte{fill}, n)
			s := world.PhraseAddress(payload)
			back, err := world.ParsePhraseAddress(s)
			if err != nil || !bytes.Equal(back, payload) {
				t.Errorf("%x is %q, which is %x, %v", payload, s, back, err)
			}
		}
	}
	s := world.PhraseAddress([]byte{0x1f, 0xf2, 0x5d, 0xed})
	if words := strings.Split(s, "-"); len(words) != 4 || !strings.HasPrefix(s, "cable-napkin-kiwi-") {
		t.Errorf("four bytes are %q", s)
	}
	if back, err := world.ParsePhraseAddress(strings.ToUpper(strings.ReplaceAll(s, "-", "  "))); err != nil || len(back) != 4 {
		t.Errorf("as people write it: %x, %v", back, err)
	}
	for _, wrong := range []string{"", "cable", "-", "cable-napkin-kiwi-stadium", "cable-napkins-kiwi-stadium", "napkin-cable-kiwi" + s[len("cable-napkin-kiwi"):], strings.Repeat("zoo-", 60) + "zoo", "abandon-abandon"} {
		if got, err := world.ParsePhraseAddress(wrong); err == nil {
			t.Errorf("%q is %x", wrong, got)
		}
	}
}

// A wrong word, and two words exchanged, are found but for one time in 2,048.
func TestPhraseAddressFindsMistakes(t *testing.T) {
	payload := []byte("the payload of an invite")
	list := strings.Split(world.PhraseAddress(payload), "-")
	accepted, tried := 0, 0
	try := func(words []string) {
		tried++
		if _, err := world.ParsePhraseAddress(strings.Join(words, "-")); err == nil {
			accepted++
		}
	}
	for i := range list {
		for j := range i {
			if list[i] != list[j] {
				swapped := slices.Clone(list)
				swapped[i], swapped[j] = swapped[j], swapped[i]
				try(swapped)
			}
		}
		for _, other := range []string{"abandon", "zoo", "kiwi", "cable", "napkin", "stadium"} {
			if other != list[i] {
				changed := slices.Clone(list)
				changed[i] = other
				try(changed)
			}
		}
	}
	if tried < 200 || accepted > 2 {
		t.Errorf("%d of %d mistakes were accepted", accepted, tried)
	}
}
