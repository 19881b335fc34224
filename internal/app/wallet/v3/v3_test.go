package v3

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/culvert-net/culvert/ledger"
)

// cheap is for tests that do not ask for time.
func cheap() Cost { return Cost{N: 2, R: 8, P: 1} }

type published struct {
	JSON     json.RawMessage `json:"json"`
	Password string          `json:"password"`
	Priv     string          `json:"priv"`
}

func vectors(t testing.TB) (all map[string]published) {
	t.Helper()
	text, err := os.ReadFile("testdata/published.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	return all
}

// The files that the format's description and go-ethereum's tests show are
// opened, and the cheap ones come out byte for byte when they are made anew.
func TestPublished(t *testing.T) {
	for name, v := range vectors(t) {
		t.Run(name, func(t *testing.T) {
			f, err := Decode(v.JSON)
			if err != nil {
				t.Fatal(err)
			}
			secret, err := f.Open([]byte(v.Password))
			if err != nil {
				t.Fatal(err)
			}
			// The one file without a published key has a published address.
			if v.Priv == "" {
				key, err := ledger.KeyOfBytes(secret)
				if err != nil || !strings.EqualFold(key.Address().String(), "0x"+f.Address) {
					t.Fatalf("it is the key of %v, %v; the file says %s", key, err, f.Address)
				}
			} else if got := hex.EncodeToString(secret[:]); got != strings.Repeat("0", 64-len(v.Priv))+v.Priv {
				t.Fatalf("secret = %s, want %s", got, v.Priv)
			}
			var outer file
			var p scryptParams
			if err := json.Unmarshal(v.JSON, &outer); err != nil {
				t.Fatal(err)
			}
			if outer.Crypto.KDF != kdfScrypt {
				return
			}
			if err := json.Unmarshal(outer.Crypto.KDFParams, &p); err != nil {
				t.Fatal(err)
			}
			if p.N > 1<<12 {
				return // a second each time shows nothing more
			}
			if _, err := f.Open([]byte(v.Password + "x")); !errors.Is(err, ErrPassphrase) {
				t.Errorf("another passphrase: %v, want ErrPassphrase", err)
			}
			anew, err := seal(secret[32-len(f.sealed):], []byte(v.Password), Cost{p.N, p.R, p.P}, file{}, p.Salt, f.iv)
			if err != nil {
				t.Fatal(err)
			}
			again, err := Decode(anew)
			if err != nil {
				t.Fatal(err)
			}
			if string(again.sealed) != string(f.sealed) || string(again.mac) != string(f.mac) {
				t.Errorf("made anew: %s, want the ciphertext and mac of %s", anew, v.JSON)
			}
		})
	}
}

func TestSeal(t *testing.T) {
	secret := [32]byte{0: 0, 1: 2, 31: 3}
	for _, c := range []Cost{cheap(), Light()} {
		text, err := Seal(secret, []byte("a passphrase"), c, "45dea0fb0bba44f4fcf290bba71fd57d7117cbb8", json.RawMessage(`{"kind":"x"}`))
		if err != nil {
			t.Fatal(err)
		}
		f, err := Decode(text)
		if err != nil {
			t.Fatal(err)
		}
		if f.Address != "45dea0fb0bba44f4fcf290bba71fd57d7117cbb8" || string(f.Culvert) != `{"kind":"x"}` {
			t.Errorf("address %q, culvert %s", f.Address, f.Culvert)
		}
		if got, err := f.Open([]byte("a passphrase")); err != nil || got != secret {
			t.Errorf("Open = %x, %v", got, err)
		}
		if strings.Contains(string(text), hex.EncodeToString(secret[:])) {
			t.Error("the secret is in the file")
		}
	}
	one, _ := Seal(secret, []byte("x"), cheap(), "", nil)
	two, _ := Seal(secret, []byte("x"), cheap(), "", nil)
	a, errA := Decode(one)
	b, errB := Decode(two)
	if errA != nil || errB != nil || string(a.iv) == string(b.iv) || string(a.sealed) == string(b.sealed) {
		t.Errorf("two files of one secret are not apart: %s %s", one, two)
	}
	if _, err := Seal(secret, nil, Cost{N: 3, R: 8, P: 1}, "", nil); err == nil {
		t.Error("a cost that is none is taken")
	}
	if got := Standard(); got.N != 1<<18 || got.R != 8 || got.P != 1 || (&scryptParams{DKLen: 32, N: got.N, R: got.R, P: got.P}).check() != nil {
		t.Errorf("Standard() = %+v is not the usual one", got)
	}
}

// Any bit of what matters that flips is found.
func TestFlippedBits(t *testing.T) {
	text, err := Seal([32]byte{31: 1}, []byte("x"), cheap(), "", nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 8 * 32 {
		f, err := Decode(text)
		if err != nil {
			t.Fatal(err)
		}
		f.sealed[i/8] ^= 1 << (i % 8)
		if _, err := f.Open([]byte("x")); !errors.Is(err, ErrPassphrase) {
			t.Fatalf("bit %d of the ciphertext: %v", i, err)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	good, err := Seal([32]byte{31: 1}, []byte("x"), cheap(), "45dea0fb0bba44f4fcf290bba71fd57d7117cbb8", nil)
	if err != nil {
		t.Fatal(err)
	}
	edit := func(old, text string) string {
		t.Helper()
		out := strings.Replace(string(good), old, text, 1)
		if out == string(good) {
			t.Fatalf("%s is not in %s", old, good)
		}
		return out
	}
	for _, tt := range []struct {
		name, text string
		want       error
		says       string
	}{
		{"empty", "", ErrDamaged, ""},
		{"no object", "[]", ErrDamaged, ""},
		{"half", string(good[:len(good)/2]), ErrDamaged, ""},
		{"version 1", edit(`"version":3`, `"version":1`), ErrVersion, `"1"`},
		{"version 4", edit(`"version":3`, `"version":4`), ErrVersion, `"4"`},
		{"version as text", edit(`"version":3`, `"version":"three"`), ErrDamaged, ""},
		{"no version", edit(`"version":3,`, ``), ErrDamaged, "version"},
		{"no crypto", `{"version":3}`, ErrDamaged, "crypto"},
		{"other cipher", edit("aes-128-ctr", "aes-128-cbc"), ErrVersion, "aes-128-cbc"},
		{"other kdf", edit(`"kdf":"scrypt"`, `"kdf":"argon2"`), ErrVersion, "argon2"},
		{"salt that is a number", edit(`"salt":"`, `"salt":1,"x":"`), ErrDamaged, "kdfparams"},
		{"no hex", edit(`"mac":"`, `"mac":"zz`), ErrDamaged, ""},
		{"short mac", edit(`"mac":"`, `"mac":"00","x":"`), ErrDamaged, "mac"},
		{"short iv", edit(`"iv":"`, `"iv":"00","x":"`), ErrDamaged, "iv"},
		{"long key", edit(`"ciphertext":"`, `"ciphertext":"00`), ErrDamaged, "32 bytes"},
		{"bad address", edit(`"address":"45`, `"address":"`), ErrDamaged, "address"},
		{"dklen", edit(`"dklen":32`, `"dklen":16`), ErrDamaged, "dklen"},
		{"n no power of two", edit(`"n":2`, `"n":3`), ErrDamaged, "scrypt"},
		{"n of zero", edit(`"n":2`, `"n":0`), ErrDamaged, "scrypt"},
		{"too much memory", edit(`"n":2`, `"n":1048576,"r":9,"q":2`), ErrVersion, "memory"},
		{"n beyond all", edit(`"n":2`, `"n":4611686018427387904`), ErrVersion, "memory"},
		{"too long", strings.Repeat(" ", MaxFile) + string(good), ErrDamaged, "larger"},
		{"pbkdf2 without end", edit(`"kdf":"scrypt","kdfparams":{`, `"kdf":"pbkdf2","kdfparams":{"prf":"hmac-sha256","c":2147483647,`), ErrVersion, "pbkdf2"},
		{"pbkdf2 with another prf", edit(`"kdf":"scrypt","kdfparams":{`, `"kdf":"pbkdf2","kdfparams":{"prf":"md5","c":1,`), ErrVersion, "md5"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := tt.text
			if tt.name == "too much memory" {
				text = strings.Replace(text, `"r":8`, `"z":8`, 1)
			}
			_, err := Decode([]byte(text))
			if !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("Decode = %v, want %v that says %q", err, tt.want, tt.says)
			}
		})
	}
}

func FuzzDecode(f *testing.F) {
	for _, v := range vectors(f) {
		f.Add([]byte(v.JSON))
	}
	good, err := Seal([32]byte{31: 1}, []byte("x"), cheap(), "45dea0fb0bba44f4fcf290bba71fd57d7117cbb8", json.RawMessage(`{"kind":"session"}`))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte(`{"version":3,"crypto":{}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		file, err := Decode(text)
		if err != nil {
			if !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrVersion) {
				t.Fatalf("Decode = %v, which is neither", err)
			}
			return
		}
		if len(file.sealed) > 32 || len(file.iv) != 16 || len(file.mac) != 32 || len(file.Address)%40 != 0 {
			t.Fatalf("%+v is out of bounds", file)
		}
	})
}
