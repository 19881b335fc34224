package recon

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"math/rand/v2"
	"testing"

	"lukechampine.com/blake3"
)

// testID is the n-th id of the tests.
func testID(n uint64) ID {
	return blake3.Sum256(binary.LittleEndian.AppendUint64([]byte("test id"), n))
}

func fingerprintOf(ids ...ID) *Fingerprint {
	f := new(Fingerprint)
	for i := range ids {
		f.Add(&ids[i])
	}
	return f
}

// naive is the fingerprint as the specification words it.
func naive(ids ...ID) [32]byte {
	var sums [lanes]uint16
	for i := range ids {
		h := blake3.New(32, nil)
		h.Write(ids[i][:])
		out := make([]byte, 2*lanes)
		h.XOF().Read(out)
		for l := range sums {
			sums[l] += binary.LittleEndian.Uint16(out[2*l:])
		}
	}
	b := []byte("culvert-fingerprint")
	for _, s := range sums {
		b = binary.LittleEndian.AppendUint16(b, s)
	}
	return blake3.Sum256(binary.LittleEndian.AppendUint64(b, uint64(len(ids))))
}

func TestFingerprintIsTheSpecified(t *testing.T) {
	var ids []ID
	for n := range uint64(20) {
		if got, want := fingerprintOf(ids...).Sum(), naive(ids...); got != want {
			t.Errorf("sum of %d ids = %x, want %x", n, got, want)
		}
		ids = append(ids, testID(n))
	}
}

// Sums that must never change: they are compared between versions of programs.
func TestFingerprintVectors(t *testing.T) {
	for _, tt := range []struct {
		n    uint64
		want string
	}{
		{0, "e4d55539761ce94ad7ddb98f9d287eedf4cd438f5a4a1a42cf544fd9fe18d889"},
		{1, "3427bdb4a7b5413b37000aa1e933896de9b492a979b9409fc38012ddb961c834"},
		{100, "d6ff4f080703a53255014a2cf5738800b1260498d1d7627523529e73f9ad8ccf"},
	} {
		var f Fingerprint
		for i := range tt.n {
			id := testID(i)
			f.Add(&id)
		}
		if got := f.Sum(); hex.EncodeToString(got[:]) != tt.want {
			t.Errorf("sum of %d ids = %x, want %s", tt.n, got, tt.want)
		}
	}
}

func TestFingerprintIsAGroup(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for round := range 200 {
		var all, left, right Fingerprint
		ids := make([]ID, rnd.IntN(30))
		for i := range ids {
			ids[i] = testID(rnd.Uint64())
			all.Add(&ids[i])
			if rnd.IntN(2) == 0 {
				left.Add(&ids[i])
			} else {
				right.Add(&ids[i])
			}
		}
		merged := left
		merged.Merge(&right)
		if merged != all || merged.Count() != uint64(len(ids)) {
			t.Fatalf("round %d: the merged halves are not the whole", round)
		}
		rnd.Shuffle(len(ids), func(i, j int) { ids[i], ids[j] = ids[j], ids[i] })
		for i := range ids {
			all.Remove(&ids[i])
		}
		if all != (Fingerprint{}) {
			t.Fatalf("round %d: something is left of nothing", round)
		}
	}
}

func TestFingerprintTellsSetsApart(t *testing.T) {
	seen := make(map[[32]byte]string)
	for name, f := range map[string]*Fingerprint{
		"none": fingerprintOf(), "a": fingerprintOf(testID(1)), "b": fingerprintOf(testID(2)),
		"a b": fingerprintOf(testID(1), testID(2)), "a c": fingerprintOf(testID(1), testID(3)),
	} {
		if other, ok := seen[f.Sum()]; ok {
			t.Errorf("%q and %q have one sum", name, other)
		}
		seen[f.Sum()] = name
	}
	// The count is hashed too: 65,536 times an id leaves lanes as they were.
	var many Fingerprint
	many.count = 1 << 16
	if many.Sum() == new(Fingerprint).Sum() {
		t.Error("the count is not part of the sum")
	}
}

func TestFingerprintMarshal(t *testing.T) {
	f := fingerprintOf(testID(1), testID(2))
	b, err := f.MarshalBinary()
	if err != nil || len(b) != FingerprintSize {
		t.Fatalf("MarshalBinary = %d bytes, %v", len(b), err)
	}
	var read Fingerprint
	if err := read.UnmarshalBinary(b); err != nil || read != *f {
		t.Errorf("UnmarshalBinary of what was marshalled: %v", err)
	}
	for n := range b {
		if err := read.UnmarshalBinary(b[:n]); !errors.Is(err, ErrFingerprint) {
			t.Fatalf("%d bytes of it: %v", n, err)
		}
	}
	if err := read.UnmarshalBinary(append(b, 0)); !errors.Is(err, ErrFingerprint) {
		t.Errorf("a byte more: %v", err)
	}
	binary.LittleEndian.PutUint64(b[2*lanes:], 0)
	if err := read.UnmarshalBinary(b); !errors.Is(err, ErrFingerprint) {
		t.Errorf("lanes of no ids: %v", err)
	}
	if read != *f {
		t.Error("what was refused changed the fingerprint")
	}
}

func TestFingerprintAllocatesNothing(t *testing.T) {
	var f Fingerprint
	id := testID(1)
	if n := testing.AllocsPerRun(100, func() { f.Add(&id); f.Remove(&id) }); n != 0 {
		t.Errorf("adding and removing allocates %v times", n)
	}
}

// A short id is the keyed hash that the specification says.
func TestShortID(t *testing.T) {
	for n := range uint64(100) {
		key, id := testID(n), testID(n+1000)
		h := blake3.New(32, key[:])
		h.Write([]byte("culvert-short"))
		h.Write(id[:])
		if got, want := ShortID(&key, &id), binary.LittleEndian.Uint64(h.Sum(nil)); got != want {
			t.Fatalf("ShortID = %x, want %x", got, want)
		}
	}
}

func FuzzFingerprint(f *testing.F) {
	b, err := fingerprintOf(testID(1), testID(2)).MarshalBinary()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add(make([]byte, FingerprintSize))
	f.Fuzz(func(t *testing.T, b []byte) {
		var read Fingerprint
		if read.UnmarshalBinary(b) != nil {
			return
		}
		if again, err := read.MarshalBinary(); err != nil || string(again) != string(b) {
			t.Errorf("%x becomes %x (%v)", b, again, err)
		}
	})
}

func BenchmarkFingerprintAdd(b *testing.B) {
	b.ReportAllocs()
	var f Fingerprint
	id := testID(1)
	for b.Loop() {
		f.Add(&id)
	}
}

func BenchmarkFingerprintSum(b *testing.B) {
	b.ReportAllocs()
	f := fingerprintOf(testID(1))
	for b.Loop() {
		f.Sum()
	}
}

func BenchmarkShortID(b *testing.B) {
	b.ReportAllocs()
	key, id := testID(1), testID(2)
	for b.Loop() {
		ShortID(&key, &id)
	}
}
