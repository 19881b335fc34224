package onion

import (
	"bytes"
	"crypto/ecdh"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"testing"
	"testing/cryptotest"
)

var update = flag.Bool("update", false, "write testdata/handshake.json anew")

// ring is an OnionKeys of one key.
type ring struct{ key *ecdh.PrivateKey }

func (r ring) Lookup(id [8]byte) (*ecdh.PrivateKey, bool) {
	if id != KeyID([32]byte(r.key.PublicKey().Bytes())) {
		return nil, false
	}
	return r.key, true
}

func newRing(t testing.TB) ring {
	t.Helper()
	k, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return ring{k}
}

func (r ring) public() [32]byte { return [32]byte(r.key.PublicKey().Bytes()) }

var (
	testWorld  = [32]byte{1, 2, 3}
	testTarget = [32]byte{4, 5, 6}
)

// handshake runs one and returns both ends' keys.
func handshake(t testing.TB, r ring, place byte) (client, server *Keys) {
	t.Helper()
	in, err := Initiate(testWorld, place, testTarget, r.public())
	if err != nil {
		t.Fatal(err)
	}
	created, server, req, err := Respond(testWorld, testTarget, r, in.Create())
	if err != nil {
		t.Fatal(err)
	}
	if req.Place != place {
		t.Errorf("place = %d, want %d", req.Place, place)
	}
	client, err = in.Finish(created)
	if err != nil {
		t.Fatal(err)
	}
	return client, server
}

func TestBothEndsAgree(t *testing.T) {
	client, server := handshake(t, newRing(t), 2)
	if client.forward.key != server.forward.key || client.backward.base != server.backward.base ||
		client.forward.chain != server.forward.chain {
		t.Error("the ends derived different keys")
	}
	if client.forward.key == client.backward.key {
		t.Error("the directions share a key")
	}
	for _, n := range []int{0, 1, 463, 464, 4095} {
		buf := make([]byte, n+Overhead)
		rand.Read(buf[:n])
		want := bytes.Clone(buf[:n])
		client.Forward(testWorld).Seal(buf, n)
		if err := server.Forward(testWorld).Open(buf); err != nil || !bytes.Equal(buf[:n], want) {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
}

// Everything a handshake binds, changed at one end: no keys come of it.
func TestWrongPartnerGetsNoKeys(t *testing.T) {
	r := newRing(t)
	respond := func(world, self [32]byte, keys OnionKeys, create []byte) error {
		_, _, _, err := Respond(world, self, keys, create)
		return err
	}
	in, err := Initiate(testWorld, 1, testTarget, r.public())
	if err != nil {
		t.Fatal(err)
	}
	if err := respond(testWorld, [32]byte{9}, r, in.Create()); !errors.Is(err, ErrHandshake) {
		t.Errorf("another identity answered: %v", err)
	}
	if err := respond(testWorld, testTarget, newRing(t), in.Create()); !errors.Is(err, ErrUnknownKey) {
		t.Errorf("another onion key answered: %v", err)
	}
	for name, world := range map[string][32]byte{"another world": {7}} {
		created, _, _, err := Respond(world, testTarget, r, in.Create())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := in.Finish(created); !errors.Is(err, ErrHandshake) {
			t.Errorf("%s: Finish = %v, want ErrHandshake", name, err)
		}
	}
	// Whoever holds the identity but not the onion key cannot answer, even
	// knowing every public value: AUTH made with a key of one's own fails.
	forged := bytes.Clone(in.Create())
	copy(forged[2:10], func() []byte { id := KeyID(newRing(t).public()); return id[:] }())
	if err := respond(testWorld, testTarget, r, forged); !errors.Is(err, ErrUnknownKey) {
		t.Errorf("another key id: %v", err)
	}
}

func TestEveryFlippedBitIsFound(t *testing.T) {
	r := newRing(t)
	in, err := Initiate(testWorld, 1, testTarget, r.public())
	if err != nil {
		t.Fatal(err)
	}
	for bit := range CreateSize * 8 {
		c := bytes.Clone(in.Create())
		c[bit/8] ^= 1 << (bit % 8)
		created, _, _, err := Respond(testWorld, testTarget, r, c)
		if err != nil {
			continue
		}
		if _, err := in.Finish(created); !errors.Is(err, ErrHandshake) {
			t.Fatalf("CREATE with bit %d flipped made keys", bit)
		}
	}
	created, _, _, err := Respond(testWorld, testTarget, r, in.Create())
	if err != nil {
		t.Fatal(err)
	}
	for bit := range CreatedSize * 8 {
		// X25519 ignores the top bit of a point; the transcript does not.
		c := bytes.Clone(created)
		c[bit/8] ^= 1 << (bit % 8)
		if _, err := in.Finish(c); !errors.Is(err, ErrHandshake) {
			t.Fatalf("CREATED with bit %d flipped made keys", bit)
		}
	}
	for n := range CreatedSize {
		if _, err := in.Finish(created[:n]); !errors.Is(err, ErrHandshake) {
			t.Fatalf("CREATED cut to %d bytes made keys", n)
		}
	}
	if _, err := in.Finish(created); err != nil {
		t.Errorf("the true CREATED: %v", err)
	}
}

// Points of small order would make the shared secret public.
func TestSmallOrderPointsAreRefused(t *testing.T) {
	r := newRing(t)
	for _, h := range []string{
		"0000000000000000000000000000000000000000000000000000000000000000",
		"0100000000000000000000000000000000000000000000000000000000000000",
		"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
		"5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	} {
		point := unhex(t, h)
		in, err := Initiate(testWorld, 1, testTarget, r.public())
		if err != nil {
			t.Fatal(err)
		}
		create := bytes.Clone(in.Create())
		copy(create[42:], point)
		if _, _, _, err := Respond(testWorld, testTarget, r, create); !errors.Is(err, ErrHandshake) {
			t.Errorf("X = %s: Respond = %v", h, err)
		}
		created, _, _, err := Respond(testWorld, testTarget, r, in.Create())
		if err != nil {
			t.Fatal(err)
		}
		copy(created, point)
		if _, err := in.Finish(created); !errors.Is(err, ErrHandshake) {
			t.Errorf("Y = %s: Finish = %v", h, err)
		}
	}
}

// Reflecting a client's own X as Y gives no keys; neither does answering one
// CREATE with the CREATED of its replay.
func TestReflectionAndReplay(t *testing.T) {
	r := newRing(t)
	in, err := Initiate(testWorld, 1, testTarget, r.public())
	if err != nil {
		t.Fatal(err)
	}
	created, k1, _, err := Respond(testWorld, testTarget, r, in.Create())
	if err != nil {
		t.Fatal(err)
	}
	reflected := bytes.Clone(created)
	copy(reflected[:32], in.Create()[42:])
	if _, err := in.Finish(reflected); !errors.Is(err, ErrHandshake) {
		t.Errorf("reflected key: Finish = %v", err)
	}
	_, k2, _, err := Respond(testWorld, testTarget, r, in.Create())
	if err != nil {
		t.Fatal(err)
	}
	if k1.forward.key == k2.forward.key {
		t.Error("a replayed CREATE got the same keys")
	}
}

func TestLayerRefuses(t *testing.T) {
	client, server := handshake(t, newRing(t), 1)
	const n = 100
	seal := func(l *Layer) []byte {
		buf := make([]byte, n+Overhead)
		l.Seal(buf, n)
		return buf
	}
	l := client.Forward(testWorld)
	first, second := seal(l), seal(l)
	for name, got := range map[string]error{
		"out of order":    server.Forward(testWorld).Open(bytes.Clone(second)),
		"other direction": server.Backward(testWorld).Open(bytes.Clone(first)),
		"other world":     server.Forward([32]byte{9}).Open(bytes.Clone(first)),
		"truncated":       server.Forward(testWorld).Open(bytes.Clone(first[:n])),
		"too short":       server.Forward(testWorld).Open(bytes.Clone(first[:3])),
	} {
		if !errors.Is(got, ErrOpen) {
			t.Errorf("%s: Open = %v, want ErrOpen", name, got)
		}
	}
	replay := server.Forward(testWorld)
	if err := replay.Open(bytes.Clone(first)); err != nil {
		t.Fatal(err)
	}
	if err := replay.Open(bytes.Clone(first)); !errors.Is(err, ErrOpen) {
		t.Errorf("replay: Open = %v, want ErrOpen", err)
	}
	for bit := range len(first) * 8 {
		c := bytes.Clone(first)
		c[bit/8] ^= 1 << (bit % 8)
		if err := server.Forward(testWorld).Open(c); !errors.Is(err, ErrOpen) {
			t.Fatalf("bit %d flipped: Open = %v", bit, err)
		}
	}
}

func TestCounterNeverWraps(t *testing.T) {
	client, _ := handshake(t, newRing(t), 1)
	l := client.Forward(testWorld)
	l.counter = 1<<64 - 1
	defer func() {
		if recover() == nil {
			t.Error("the last nonce was used and the counter would start again")
		}
	}()
	l.Seal(make([]byte, 16+Overhead), 16)
}

func TestKeysDoNotPrint(t *testing.T) {
	client, _ := handshake(t, newRing(t), 1)
	secret := hex.EncodeToString(client.forward.key[:])
	for _, f := range []string{"%v", "%+v", "%#v", "%s", "%x"} {
		if s := fmt.Sprintf(f, client); bytes.Contains([]byte(s), []byte(secret[:16])) {
			t.Errorf("%s prints the key: %s", f, s)
		}
	}
	if b, err := json.Marshal(client); err == nil {
		t.Errorf("JSON of keys: %s", b)
	}
}

// vector is our own profile with every intermediate value.
type vector struct {
	World, Place, Target          string
	OnionPrivate, OnionPublic     string
	ClientEphemeral               string
	Create, Created, KeyID        string
	Secret, Info, OKM             string
	ForwardKey, ForwardBase       string
	BackwardKey, BackwardBase     string
	FirstForwardCellOf463Zeros    string
	SecondBackwardCellOf463Zeros  string
	AuthKeyIsTheLastBytesOfOKM    bool
	SaltIsAbsentCountersStartAt0  bool
	IntegersInNonceAreBigEndian64 bool
}

// Our own vectors: made once from a fixed random stream, checked on every
// run, and derived a second time here by the formula of the spec, spelled
// out without the code under test.
func TestOwnVectors(t *testing.T) {
	cryptotest.SetGlobalRandom(t, 7)
	r := newRing(t)
	in, err := Initiate(testWorld, 3, testTarget, r.public())
	if err != nil {
		t.Fatal(err)
	}
	created, keys, _, err := Respond(testWorld, testTarget, r, in.Create())
	if err != nil {
		t.Fatal(err)
	}
	x, y := in.Create()[42:], created[:32]
	ypub, err := ecdh.X25519().NewPublicKey(y)
	if err != nil {
		t.Fatal(err)
	}
	xy, err := in.x.ECDH(ypub)
	if err != nil {
		t.Fatal(err)
	}
	xb, err := in.x.ECDH(r.key.PublicKey())
	if err != nil {
		t.Fatal(err)
	}
	hc, hy := sha256.Sum256(in.Create()), sha256.Sum256(y)
	b := r.public()
	public := slices.Concat(testTarget[:], b[:], x, y, hc[:], hy[:])
	secret := slices.Concat(xy, xb, public, []byte("/culvert/circ/1"))
	info := slices.Concat([]byte("culvert-circ-1"), testWorld[:], []byte{1, 3})
	okm, err := hkdf.Key(sha256.New, secret, nil, string(info), 76+76+32)
	if err != nil {
		t.Fatal(err)
	}
	mac := hmac.New(sha256.New, okm[152:])
	mac.Write([]byte("culvert-circ-1-auth"))
	mac.Write(public)
	if !bytes.Equal(mac.Sum(nil), created[32:]) {
		t.Error("AUTH is not what the spec's formula gives")
	}
	cells := make([][]byte, 2)
	fwd, back := keys.Forward(testWorld), keys.Backward(testWorld)
	for i, l := range []*Layer{fwd, back} {
		cells[i] = make([]byte, 463+Overhead)
		l.Seal(cells[i], 463)
	}
	cells[1] = make([]byte, 463+Overhead)
	back.Seal(cells[1], 463)

	h := hex.EncodeToString
	id := KeyID(b)
	got := vector{
		World: h(testWorld[:]), Place: "03", Target: h(testTarget[:]),
		OnionPrivate: h(r.key.Bytes()), OnionPublic: h(b[:]), ClientEphemeral: h(in.x.Bytes()),
		Create: h(in.Create()), Created: h(created), KeyID: h(id[:]),
		Secret: h(secret), Info: h(info), OKM: h(okm),
		ForwardKey: h(okm[:32]), ForwardBase: h(okm[32:44]), BackwardKey: h(okm[76:108]), BackwardBase: h(okm[108:120]),
		FirstForwardCellOf463Zeros: h(cells[0]), SecondBackwardCellOf463Zeros: h(cells[1]),
		AuthKeyIsTheLastBytesOfOKM: true, SaltIsAbsentCountersStartAt0: true, IntegersInNonceAreBigEndian64: true,
	}
	if h(keys.forward.key[:]) != got.ForwardKey || h(keys.backward.base[:]) != got.BackwardBase {
		t.Error("the keys are not where the spec's formula puts them")
	}
	const path = "testdata/handshake.json"
	if *update {
		text, err := json.MarshalIndent(got, "", "\t")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, append(text, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var want vector
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatal(err)
	}
	if got != want {
		t.Errorf("vectors differ from %s:\ngot  %+v\nwant %+v", path, got, want)
	}
}

func FuzzRespond(f *testing.F) {
	r := newRing(f)
	in, err := Initiate(testWorld, 1, testTarget, r.public())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(in.Create())
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		created, keys, _, err := Respond(testWorld, testTarget, r, b)
		if err == nil && (len(created) != CreatedSize || keys == nil) {
			t.Fatalf("Respond(%x) gave %d bytes", b, len(created))
		}
	})
}

func BenchmarkHandshake(b *testing.B) {
	r := newRing(b)
	b.Run("respond", func(b *testing.B) {
		in, err := Initiate(testWorld, 1, testTarget, r.public())
		if err != nil {
			b.Fatal(err)
		}
		b.ReportAllocs()
		for b.Loop() {
			if _, _, _, err := Respond(testWorld, testTarget, r, in.Create()); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("initiate+finish", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			b.StopTimer()
			in, err := Initiate(testWorld, 1, testTarget, r.public())
			if err != nil {
				b.Fatal(err)
			}
			created, _, _, err := Respond(testWorld, testTarget, r, in.Create())
			if err != nil {
				b.Fatal(err)
			}
			b.StartTimer()
			if _, err := in.Finish(created); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkLayer(b *testing.B) {
	client, server := handshake(b, newRing(b), 1)
	buf := make([]byte, 511)
	b.Run("seal", func(b *testing.B) {
		l := client.Forward(testWorld)
		b.SetBytes(511)
		b.ReportAllocs()
		for b.Loop() {
			l.Seal(buf, 495)
		}
	})
	_ = server
}
