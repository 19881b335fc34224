package world_test

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"slices"
	"testing"

	"github.com/culvert-net/culvert/mesh/world"
	"github.com/culvert-net/culvert/mesh/world/postcard"
)

func testKey(seed byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, ed25519.SeedSize))
}

func testUnsigned() world.DescriptorUnsigned {
	return world.DescriptorUnsigned{
		World: world.Hash{1}, Epoch: 300,
		ContactPoints: []string{"seq:1", "/ip4/192.0.2.1/tcp/4811"},
		Capability: world.Capability{Manifest: &world.CapabilityManifest{
			BaseModelID: "m", RuntimeID: "vllm", ContextLimit: 4096, SafetyMode: "standard",
			Adapters: []world.Adapter{
				{Type: "lora", ID: "b"},
				{Type: "lora", ID: "a", Digest: world.Hash{2}},
				{Type: "lora", ID: "a", Digest: world.Hash{1}},
				{Type: "lora", ID: "b"},
				{Type: "ia3", ID: "z"},
			},
		}},
	}
}

func TestAdaptersAreSorted(t *testing.T) {
	u := testUnsigned()
	m, err := world.DecodeManifest(u.Capability.Manifest.Canonical())
	if err != nil {
		t.Fatal(err)
	}
	want := []world.Adapter{
		{Type: "ia3", ID: "z"},
		{Type: "lora", ID: "a", Digest: world.Hash{1}},
		{Type: "lora", ID: "a", Digest: world.Hash{2}},
		{Type: "lora", ID: "b"},
	}
	if !slices.Equal(m.Adapters, want) {
		t.Errorf("adapters = %v, want %v", m.Adapters, want)
	}
	if u.Capability.Manifest.Adapters[0].ID != "b" || u.ContactPoints[0] != "seq:1" {
		t.Error("encoding reordered the caller's slices")
	}
}

func TestSignAndVerify(t *testing.T) {
	key := testKey(1)
	d := world.SignDescriptor(key, testUnsigned())
	if err := d.Verify(); err != nil {
		t.Fatal(err)
	}
	back, err := world.DecodeDescriptor(d.Canonical())
	if err != nil {
		t.Fatal(err)
	}
	if err := back.Verify(); err != nil || !bytes.Equal(back.Canonical(), d.Canonical()) {
		t.Errorf("after a round trip: %v", err)
	}

	// The signed bytes are fixed by the reference; spelled out once more here.
	message := slices.Concat([]byte("desc-sig"), d.World[:], d.ID[:], d.DescriptorUnsigned.Canonical())
	if !ed25519.Verify(key.Public().(ed25519.PublicKey), message, d.Signature[:]) {
		t.Error("the signature is not over domain, world, id and content")
	}

	for name, c := range map[string]struct {
		change func(*world.Descriptor)
		want   error
	}{
		"world":     {func(d *world.Descriptor) { d.World[0] ^= 1 }, world.ErrDescriptorID},
		"epoch":     {func(d *world.Descriptor) { d.Epoch++ }, world.ErrDescriptorID},
		"contact":   {func(d *world.Descriptor) { d.ContactPoints = d.ContactPoints[:1] }, world.ErrDescriptorID},
		"id":        {func(d *world.Descriptor) { d.ID[31] ^= 1 }, world.ErrDescriptorID},
		"key":       {func(d *world.Descriptor) { d.Key = [32]byte(testKey(2).Public().(ed25519.PublicKey)) }, world.ErrSignature},
		"signature": {func(d *world.Descriptor) { d.Signature[0] ^= 1 }, world.ErrSignature},
		"content and id": {func(d *world.Descriptor) {
			d.Epoch++
			d.ID = world.DescriptorID(d.DescriptorUnsigned)
		}, world.ErrSignature},
	} {
		changed := d
		c.change(&changed)
		if err := changed.Verify(); !errors.Is(err, c.want) {
			t.Errorf("changed %s: Verify = %v, want %v", name, err, c.want)
		}
	}
}

// TestEveryBitCounts flips each bit of an encoded descriptor: what still
// decodes must not verify.
func TestEveryBitCounts(t *testing.T) {
	d := world.SignDescriptor(testKey(1), testUnsigned())
	in := d.Canonical()
	for i := range len(in) * 8 {
		flipped := bytes.Clone(in)
		flipped[i/8] ^= 1 << (i % 8)
		got, err := world.DecodeDescriptor(flipped)
		if err == nil && got.Verify() == nil {
			t.Fatalf("bit %d flipped and nobody noticed", i)
		}
	}
	for n := range in {
		if _, err := world.DecodeDescriptor(in[:n]); err == nil {
			t.Fatalf("%d of %d bytes decode", n, len(in))
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	unsigned := func(points []byte) []byte {
		b := append(make([]byte, 32), 5) // world, epoch
		b = append(b, points...)
		return append(append(b, 0), make([]byte, 32)...) // FAH
	}
	manifest := func(adapters ...byte) []byte {
		b := append([]byte{1, 'm'}, make([]byte, 32)...)
		b = append(append(b, 0, 0), make([]byte, 32)...)
		return append(append(b, 0), adapters...)
	}
	adapter := func(typ, id, digest byte) []byte {
		return append([]byte{1, typ, 1, id}, bytes.Repeat([]byte{digest}, 32)...)
	}
	for _, c := range []struct {
		name   string
		decode func() error
		want   error
	}{
		{"contact points out of order", func() error {
			_, err := world.DecodeDescriptorUnsigned(unsigned([]byte{2, 1, 'b', 1, 'a'}))
			return err
		}, postcard.ErrOrder},
		{"contact point twice", func() error {
			_, err := world.DecodeDescriptorUnsigned(unsigned([]byte{2, 1, 'a', 1, 'a'}))
			return err
		}, postcard.ErrOrder},
		{"a million contact points", func() error {
			_, err := world.DecodeDescriptorUnsigned(unsigned([]byte{0xc0, 0x84, 0x3d}))
			return err
		}, postcard.ErrLength},
		{"adapters out of order", func() error {
			_, err := world.DecodeManifest(manifest(slices.Concat([]byte{2}, adapter('a', 'b', 0), adapter('a', 'a', 0))...))
			return err
		}, postcard.ErrOrder},
		{"adapter twice", func() error {
			_, err := world.DecodeManifest(manifest(slices.Concat([]byte{2}, adapter('a', 'b', 0), adapter('a', 'b', 0))...))
			return err
		}, postcard.ErrOrder},
		{"four adapters in the room of one", func() error {
			_, err := world.DecodeManifest(manifest(slices.Concat([]byte{4}, adapter('a', 'b', 0))...))
			return err
		}, postcard.ErrLength},
		{"third kind of capability", func() error {
			_, err := world.DecodeCapability(append([]byte{2}, make([]byte, 32)...))
			return err
		}, postcard.ErrVariant},
		{"minus zero in the rules", func() error {
			b := world.DefaultRules().Canonical()
			b[len(b)-1] ^= 0x80 // w_robustness is now negative, which is canonical …
			if _, err := world.DecodeRuleBundle(b); err != nil {
				return err
			}
			copy(b[len(b)-8:], []byte{0, 0, 0, 0, 0, 0, 0, 0x80}) // … and now minus zero
			_, err := world.DecodeRuleBundle(b)
			return err
		}, postcard.ErrFloat},
		{"trailing byte", func() error {
			_, err := world.DecodeRuleBundle(append(world.DefaultRules().Canonical(), 0))
			return err
		}, postcard.ErrTrailing},
		{"short key", func() error {
			d := world.SignDescriptor(testKey(1), testUnsigned())
			b := d.Canonical()
			key := len(b) - 1 - 64 - 1 - 32
			b = slices.Delete(b, key+1, key+2)
			b[key] = 31
			_, err := world.DecodeDescriptor(b)
			return err
		}, postcard.ErrSize},
	} {
		if err := c.decode(); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}

// TestDomainMatters signs the same content under a domain of the same length.
func TestDomainMatters(t *testing.T) {
	key := testKey(1)
	d := world.SignDescriptor(key, testUnsigned())
	message := slices.Concat([]byte("desc-sIg"), d.World[:], d.ID[:], d.DescriptorUnsigned.Canonical())
	copy(d.Signature[:], ed25519.Sign(key, message))
	if err := d.Verify(); !errors.Is(err, world.ErrSignature) {
		t.Errorf("Verify = %v, want ErrSignature", err)
	}
}
