package world_test

import (
	"bytes"
	"testing"

	"github.com/culvert-net/culvert/mesh/world"
)

// canonical is a value that has canonical bytes.
type canonical interface{ Canonical() []byte }

// identity fuzzes a decoder: what it accepts encodes to the same bytes again.
func identity[T canonical](f *testing.F, decode func([]byte) (T, error), seeds ...canonical) {
	for _, s := range seeds {
		f.Add(s.Canonical())
	}
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, in []byte) {
		v, err := decode(in)
		if err != nil {
			return
		}
		if out := v.Canonical(); !bytes.Equal(out, in) {
			t.Errorf("%x decodes and encodes to %x", in, out)
		}
	})
}

func FuzzRuleBundle(f *testing.F) {
	identity(f, world.DecodeRuleBundle, world.DefaultRules(), world.RuleBundle{})
}

func FuzzAdapter(f *testing.F) {
	identity(f, world.DecodeAdapter, world.Adapter{Type: "lora", ID: "x"}, world.Adapter{})
}

func FuzzManifest(f *testing.F) {
	identity(f, world.DecodeManifest, *testUnsigned().Capability.Manifest, world.CapabilityManifest{})
}

func FuzzCapability(f *testing.F) {
	identity(f, world.DecodeCapability, testUnsigned().Capability, world.Capability{FAH: world.Hash{7}})
}

func FuzzDescriptorUnsigned(f *testing.F) {
	identity(f, world.DecodeDescriptorUnsigned, testUnsigned(), world.DescriptorUnsigned{})
}

func FuzzDescriptor(f *testing.F) {
	signed := world.SignDescriptor(testKey(1), testUnsigned())
	identity(f, func(b []byte) (*world.Descriptor, error) {
		d, err := world.DecodeDescriptor(b)
		return &d, err
	}, &signed, &world.Descriptor{})
}

// FuzzParse feeds world files: no panic, and what is accepted is written to a
// file that means the same world.
func FuzzParse(f *testing.F) {
	f.Add([]byte(worldFile))
	f.Add([]byte("format = 1\n[charter]\n"))
	f.Add([]byte("[rules]\nw_success = nan"))
	f.Fuzz(func(t *testing.T, in []byte) {
		w, err := world.Parse(in)
		if err != nil {
			return
		}
		out, err := world.Format(w)
		if err != nil {
			t.Fatalf("accepted %q but cannot write it: %v", in, err)
		}
		again, err := world.Parse(out)
		if err != nil || again.ID != w.ID || again.Sandbox != w.Sandbox || again.Local != w.Local || len(again.Seeds) != len(w.Seeds) {
			t.Errorf("%q came back as %+v, %v, want %+v", in, again, err, w)
		}
	})
}

// FuzzParseAddr feeds addresses: no panic, and the transport part parses to
// itself.
func FuzzParseAddr(f *testing.F) {
	f.Add(public)
	f.Add("/ip6zone/lo/ip6/::1/udp/1/quic-v1/webtransport")
	f.Add("/dns4/a.b/tcp/443/tls/sni/a.b/ws/p2p/" + peerID)
	f.Fuzz(func(t *testing.T, s string) {
		a, err := world.ParseAddr(s)
		if err != nil {
			return
		}
		again, err := world.ParseAddr(a.Transport)
		if err != nil || again.Transport != a.Transport || again.HasKey || again.Loopback != a.Loopback {
			t.Errorf("%q: transport %q parses to %+v, %v", s, a.Transport, again, err)
		}
	})
}

func FuzzCharter(f *testing.F) {
	bare := testCharter()
	bare.Chain = nil
	identity(f, world.DecodeCharter, testCharter(), bare, world.Charter{})
}

// FuzzParseTicket: what is accepted is written again to the same bytes.
func FuzzParseTicket(f *testing.F) {
	f.Add(world.Ticket{Anchor: []byte("anchor")}.Bytes())
	f.Fuzz(func(t *testing.T, in []byte) {
		ticket, err := world.ParseTicket(in)
		if err != nil {
			return
		}
		if out := ticket.Bytes(); !bytes.Equal(out, in) {
			t.Errorf("%x parses and is written as %x", in, out)
		}
	})
}

// FuzzParsePhraseAddress: no panic, and what is accepted is the address of what
// it says. Any bytes have an address.
func FuzzParsePhraseAddress(f *testing.F) {
	f.Add("cable-napkin-kiwi-stadium", []byte{0})
	f.Add(world.PhraseAddress([]byte("an invite")), []byte{})
	f.Fuzz(func(t *testing.T, s string, payload []byte) {
		if got, err := world.ParsePhraseAddress(s); err == nil {
			again, err := world.ParsePhraseAddress(world.PhraseAddress(got))
			if err != nil || !bytes.Equal(again, got) {
				t.Errorf("%q is %x, and that is %x, %v", s, got, again, err)
			}
		}
		payload = payload[:min(len(payload), world.MaxPhrasePayload)]
		if got, err := world.ParsePhraseAddress(world.PhraseAddress(payload)); err != nil || !bytes.Equal(got, payload) {
			t.Errorf("%x came back as %x, %v", payload, got, err)
		}
	})
}
