package ready

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/culvert-net/culvert/ledger"
)

func example() *File {
	return &File{
		RPC: "http://127.0.0.1:8545", PID: 7, ChainID: 31337,
		Market:   Market{Address: ledger.Address{1}, CodeHash: ledger.Hash{2}, Block: 1},
		Accounts: []Account{{Address: ledger.Address{3}, Key: "0x" + strings.Repeat("04", 32)}},
	}
}

// The names in the file are what scripts wait for.
func TestFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ready.json")
	if err := Write(path, example()); err != nil {
		t.Fatal(err)
	}
	got, err := Read(path)
	if err != nil || !reflect.DeepEqual(got, example()) {
		t.Errorf("Read = %+v, %v; want what was written", got, err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{`"rpc_url"`, `"pid"`, `"chain_id": 31337`, `"market"`, `"address"`, `"code_hash"`, `"block": 1`, `"accounts"`, `"published_key"`} {
		if !bytes.Contains(text, []byte(name)) {
			t.Errorf("no %s in %s", name, text)
		}
	}
}

func TestReadRefuses(t *testing.T) {
	dir := t.TempDir()
	if _, err := Read(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Read of no file = %v", err)
	}
	good := filepath.Join(dir, "good")
	if err := Write(good, example()); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string][2]string{
		"cut short":     {"}\n", ""},
		"unknown":       {`"pid"`, `"pidd"`},
		"other URL":     {"http://", "ftp://"},
		"no chain":      {"31337", "0"},
		"no market":     {"0x01", "0x00"},
		"no code":       {"0x02", "0x00"},
		"address":       {"0x01", "0x"},
		"short key":     {"0404", "04"},
		"two":           {"}\n", "}{}\n"},
		"without bound": {"{", strings.Repeat(" ", maxFile) + "{"},
	} {
		path := filepath.Join(dir, "bad")
		bad := strings.Replace(string(text), change[0], change[1], 1)
		if name == "cut short" || name == "two" {
			bad = strings.TrimSuffix(string(text), change[0]) + change[1]
		}
		if err := os.WriteFile(path, []byte(bad), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := Read(path); err == nil {
			t.Errorf("%s: Read = %+v; want an error", name, got)
		}
	}
}

// What is read is written to the same.
func FuzzDecode(f *testing.F) {
	path := filepath.Join(f.TempDir(), "ready.json")
	if err := Write(path, example()); err != nil {
		f.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte("{}"))
	f.Fuzz(func(t *testing.T, text []byte) {
		first, err := decode(text)
		if err != nil {
			return
		}
		path := filepath.Join(t.TempDir(), "again")
		if err := Write(path, first); err != nil {
			t.Fatal(err)
		}
		again, err := Read(path)
		if err != nil || again.RPC != first.RPC || again.Market != first.Market || len(again.Accounts) != len(first.Accounts) {
			t.Errorf("%+v became %+v, %v", first, again, err)
		}
	})
}
