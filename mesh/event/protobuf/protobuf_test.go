package protobuf_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/culvert-net/culvert/mesh/event"
	"github.com/culvert-net/culvert/mesh/event/protobuf"
)

var update = flag.Bool("update", false, "write testdata/*.txtpb anew; testdata/encode then makes the .bin")

// events are those of the published vectors, by name.
func events(t testing.TB) map[string]*event.Event {
	t.Helper()
	data, err := os.ReadFile("../../vectors/testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Vectors []struct {
			Name, Kind string
			Canonical  string `json:"canonical_bytes_hex"`
		}
	}
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	out := make(map[string]*event.Event)
	for _, v := range file.Vectors {
		if !strings.HasPrefix(v.Kind, "event_") {
			continue
		}
		b, err := hex.DecodeString(v.Canonical)
		if err != nil {
			t.Fatal(err)
		}
		e, err := event.Decode(b)
		if err != nil {
			t.Fatalf("%s: %v", v.Name, err)
		}
		out[v.Name] = e
	}
	if len(out) < len(event.Types()) {
		t.Fatalf("%d events", len(out))
	}
	return out
}

// What protoc makes of an event is what Encode makes, and Decode reads it.
func TestGolden(t *testing.T) {
	for name, e := range events(t) {
		path := filepath.Join("testdata", name)
		text := textOf(e)
		if *update {
			if err := os.WriteFile(path+".txtpb", []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		have, err := os.ReadFile(path + ".txtpb")
		if err != nil || string(have) != text {
			t.Errorf("%s.txtpb is not the event's text (%v); run go test -update and testdata/encode", name, err)
		}
		want, err := os.ReadFile(path + ".bin")
		if err != nil {
			t.Fatal(err)
		}
		if got := protobuf.Encode(e); !bytes.Equal(got, want) {
			t.Errorf("%s: Encode = %x, and protoc %x", name, got, want)
		}
		got, err := protobuf.Decode(want)
		if err != nil || !reflect.DeepEqual(got, e) {
			t.Errorf("%s: Decode = %+v, %v, want %+v", name, got, err, e)
			continue
		}
		if err := got.Verify(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Whatever bit is flipped, the event is the same or it is refused.
func TestFlippedBits(t *testing.T) {
	for name, e := range events(t) {
		b := protobuf.Encode(e)
		for i := range len(b) * 8 {
			b[i/8] ^= 1 << (i % 8)
			got, err := protobuf.Decode(b)
			if err == nil && got.Verify() == nil && !bytes.Equal(got.Canonical(), e.Canonical()) {
				t.Errorf("%s: with bit %d flipped it is another event", name, i)
			}
			b[i/8] ^= 1 << (i % 8)
		}
		for n := range b {
			if _, err := protobuf.Decode(b[:n]); err == nil {
				t.Errorf("%s: cut at %d it is accepted", name, n)
			}
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	all := events(t)
	dispute, shard := protobuf.Encode(all["event_dispute"]), protobuf.Encode(all["event_shard"])
	field := func(n protowire.Number, content []byte) []byte {
		return protowire.AppendBytes(protowire.AppendTag(nil, n, protowire.BytesType), content)
	}
	number := func(n protowire.Number, v uint64) []byte {
		return protowire.AppendVarint(protowire.AppendTag(nil, n, protowire.VarintType), v)
	}
	id := bytes.Repeat([]byte{1}, 32)
	wrapped := func(n protowire.Number) []byte { return field(n, field(1, field(1, id))) }
	shardWorld := all["event_shard"].World()
	shardPlace := slices.Concat(field(3, field(1, field(1, shardWorld[:]))), number(4, all["event_shard"].Epoch()))
	endorsement := *all["event_rule_endorsement"].Body.(*event.Endorsement)
	inf := endorsement
	inf.Weight = math.Inf(1)
	heavy := endorsement
	heavy.Weight = 101
	for name, c := range map[string]struct {
		b    []byte
		want error
	}{
		"nothing":             {nil, protobuf.ErrField},
		"no message":          {[]byte{0xff}, protobuf.ErrWire},
		"a group":             {slices.Concat(dispute, []byte{0x0b, 0x0c}), protobuf.ErrWire},
		"field 0":             {[]byte{0x02, 0x00}, protobuf.ErrWire},
		"a huge length":       {[]byte{0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f}, protobuf.ErrWire},
		"too large":           {make([]byte, protobuf.MaxMessage+1), protobuf.ErrTooLarge},
		"no body":             {slices.Concat(wrapped(1), number(2, 3)), protobuf.ErrField},
		"no id":               {dispute[len(wrapped(1)):], protobuf.ErrField},
		"an id of 31 bytes":   {field(1, field(1, field(1, id[1:]))), protobuf.ErrField},
		"the id twice":        {slices.Concat(dispute, wrapped(1)), protobuf.ErrField},
		"another id":          {slices.Concat(wrapped(1), dispute[len(wrapped(1)):]), event.ErrID},
		"two bodies":          {slices.Concat(dispute, field(15, nil)), protobuf.ErrField},
		"type as bytes":       {field(2, []byte{3}), protobuf.ErrField},
		"type of 33 bits":     {number(2, 1<<32), protobuf.ErrField},
		"another type":        {bytes.Replace(dispute, number(2, 3), number(2, 4), 1), event.ErrType},
		"a foreign world":     {slices.Concat(dispute, wrapped(3)), event.ErrPlace},
		"a shard of no place": {bytes.Replace(shard, shardPlace, nil, 1), protobuf.ErrField},
		"infinite weight":     {encodeUnchecked(&inf), protobuf.ErrField},
		"heavy weight":        {protobuf.Encode(event.New(&heavy)), event.ErrBounds},
		"text that is none":   {bytes.Replace(dispute, []byte("weiß"), []byte{'w', 'e', 'i', 0xff, 0xff}, 1), protobuf.ErrField},
	} {
		if e, err := protobuf.Decode(c.b); !errors.Is(err, c.want) {
			t.Errorf("%s: %+v, %v, want %v", name, e, err, c.want)
		}
	}
	// A field of a newer message is passed over, of whatever type.
	newer := slices.Concat(dispute, wrapped(99), number(98, 7), protowire.AppendFixed32(protowire.AppendTag(nil, 97, protowire.Fixed32Type), 1))
	if e, err := protobuf.Decode(newer); err != nil || e.ID != all["event_dispute"].ID {
		t.Errorf("with fields of a newer message: %+v, %v", e, err)
	}
}

// encodeUnchecked writes an endorsement that has no canonical bytes, and so no
// id: its float is changed in the bytes of another.
func encodeUnchecked(e *event.Endorsement) []byte {
	good := *e
	good.Weight = 1
	b := protobuf.Encode(event.New(&good))
	one := protowire.AppendFixed64(nil, math.Float64bits(1))
	return bytes.Replace(b, one, protowire.AppendFixed64(nil, math.Float64bits(e.Weight)), 1)
}

// FuzzDecode: no panic, and what is accepted is the same event after it was
// written again.
func FuzzDecode(f *testing.F) {
	for _, e := range events(f) {
		f.Add(protobuf.Encode(e))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		e, err := protobuf.Decode(in)
		if err != nil {
			return
		}
		again, err := protobuf.Decode(protobuf.Encode(e))
		if err != nil || !bytes.Equal(again.Canonical(), e.Canonical()) {
			t.Errorf("%x is %+v, and that %+v, %v", in, e, again, err)
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	in := protobuf.Encode(events(b)["event_attestation_with_options"])
	b.SetBytes(int64(len(in)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := protobuf.Decode(in); err != nil {
			b.Fatal(err)
		}
	}
}
