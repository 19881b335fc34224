package layers

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/pprof/profile"
)

// Each sample belongs to the innermost layer that has a part in it.
func TestOf(t *testing.T) {
	const (
		openai = module + "api/openai.parse"
		stream = module + "circuit.(*Stream).Write"
	)
	for stack, want := range map[string]Layer{
		"encoding/json.checkValid " + openai + " net/http.(*conn).serve":                                                                            API,
		"runtime.memmove " + stream + " " + module + "api/tunnel.writeRequest":                                                                      Circuits,
		"golang.org/x/crypto/chacha20poly1305.seal " + module + "circuit/onion.(*Layer).Seal":                                                       Onion,
		"golang.org/x/crypto/chacha20poly1305.seal github.com/flynn/noise.(*CipherState).Encrypt github.com/libp2p/go-yamux/v5.(*Session).sendLoop": Noise,
		"runtime.mapaccess1 github.com/libp2p/go-yamux/v5.(*Session).recvLoop":                                                                      Mesh,
		"internal/runtime/syscall/linux.Syscall6 internal/poll.(*FD).Write net.(*conn).Write":                                                       Sockets,
		"runtime.futex runtime.futexwakeup runtime.startm runtime.wakep runtime.ready " + stream:                                                    Schedule,
		"runtime.memclrNoHeapPointers runtime.mallocgc runtime.makeslice " + openai:                                                                 Memory,
		"runtime.scanobject runtime.gcDrain runtime.gcBgMarkWorker":                                                                                 Memory,
		"net/textproto.canonicalMIMEHeaderKey net/http.Header.Set " + openai:                                                                        HTTP,
		module + "circuit.(*Relay).serve sync.(*WaitGroup).Go.func1":                                                                                Circuits,
		"main.main": Rest,
	} {
		if got := of(strings.Fields(stack)); got != want {
			t.Errorf("%s: %q, want %q", stack, got, want)
		}
	}
}

// All has every layer that a rule gives.
func TestAll(t *testing.T) {
	for _, r := range rules {
		if !slices.Contains(All, r.layer) {
			t.Errorf("%q is not among All", r.layer)
		}
	}
}

// A profile is read whole; one of memory is none of CPU time.
func TestRead(t *testing.T) {
	fn := func(id uint64, name string) *profile.Location {
		f := &profile.Function{ID: id, Name: name}
		return &profile.Location{ID: id, Line: []profile.Line{{Function: f}}}
	}
	noise, api, unknown := fn(1, "github.com/flynn/noise.x"), fn(2, module+"api.y"), fn(3, "z")
	p := &profile.Profile{
		SampleType: []*profile.ValueType{{Type: "samples", Unit: "count"}, {Type: "cpu", Unit: "nanoseconds"}},
		Sample: []*profile.Sample{
			{Location: []*profile.Location{unknown, noise, api}, Value: []int64{1, 10e6}},
			{Location: []*profile.Location{unknown, api}, Value: []int64{2, 20e6}},
			{Location: []*profile.Location{unknown}, Value: []int64{1, 5e6}},
		},
		Location: []*profile.Location{noise, api, unknown},
		Function: []*profile.Function{noise.Line[0].Function, api.Line[0].Function, unknown.Line[0].Function},
	}
	var b bytes.Buffer
	if err := p.Write(&b); err != nil {
		t.Fatal(err)
	}
	got, err := Read(&b)
	if err != nil || got[Noise] != 10*time.Millisecond || got[API] != 20*time.Millisecond || got[Rest] != 5*time.Millisecond || len(got) != 3 {
		t.Errorf("Read = %v, %v", got, err)
	}
	p.SampleType[1] = &profile.ValueType{Type: "alloc_space", Unit: "bytes"}
	b.Reset()
	if err := p.Write(&b); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(&b); err != errNoCPU {
		t.Errorf("a profile of memory: %v, want errNoCPU", err)
	}
	if _, err := Read(strings.NewReader("no profile")); err == nil {
		t.Error("text was taken for a profile")
	}
}
