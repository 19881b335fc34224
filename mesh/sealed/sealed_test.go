package sealed_test

import (
	"bytes"
	"errors"
	"io/fs"
	"path/filepath"
	"testing"

	"github.com/culvert-net/culvert/mesh/sealed"
	"github.com/culvert-net/culvert/mesh/world"
)

const magic sealed.Magic = "CULVTST\x01"

func TestRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	id := world.Hash{1}
	if _, err := sealed.Read(path, magic, id, 10); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	if err := sealed.Write(path, magic, id, []byte("content")); err != nil {
		t.Fatal(err)
	}
	if b, err := sealed.Read(path, magic, id, 7); err != nil || string(b) != "content" {
		t.Errorf("Read = %q, %v", b, err)
	}
	if _, err := sealed.Read(path, magic, id, 6); !errors.Is(err, sealed.ErrTooLarge) {
		t.Errorf("beyond the limit: %v", err)
	}
	if _, err := sealed.Read(path, "CULVTST\x02", id, 7); !errors.Is(err, sealed.ErrNotOurs) {
		t.Errorf("another format: %v", err)
	}
	if _, err := sealed.Read(path, magic, world.Hash{2}, 7); !errors.Is(err, sealed.ErrOtherWorld) {
		t.Errorf("another world: %v", err)
	}
}

func TestUnsealFindsDamage(t *testing.T) {
	id := world.Hash{1}
	good := sealed.Seal(magic, id, []byte("content"))
	for i := range good {
		bad := bytes.Clone(good)
		bad[i] ^= 1
		if _, err := sealed.Unseal(magic, id, bad); err == nil {
			t.Errorf("byte %d changed, and nobody saw it", i)
		}
		if _, err := sealed.Unseal(magic, id, good[:i]); err == nil {
			t.Errorf("cut to %d bytes, and nobody saw it", i)
		}
	}
}
