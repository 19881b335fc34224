package chain

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"

	"github.com/culvert-net/culvert/ledger"
)

// elsewhere sends questions to another address than they were for.
type elsewhere struct{ to *url.URL }

func (e elsewhere) RoundTrip(r *http.Request) (*http.Response, error) {
	out := r.Clone(r.Context())
	out.URL, out.Host = e.to, ""
	return http.DefaultTransport.RoundTrip(out)
}

// bent is a second server in front of the same node.
func (w *world) bent(f func(*reply)) http.RoundTripper {
	w.t.Helper()
	server := httptest.NewServer(&world{t: w.t, node: w.node, cfg: w.cfg, asked: make(map[string]int), bend: f})
	w.t.Cleanup(server.Close)
	to, err := url.Parse(server.URL)
	if err != nil {
		w.t.Fatal(err)
	}
	return elsewhere{to}
}

// What one server says counts only if a second one says it too; what is wrong with
// the second has a name as well.
func TestWitness(t *testing.T) {
	otherHash := ledger.Hash{1}.String()
	for _, tt := range []struct {
		name   string
		first  func(*testing.T, *reply)
		second func(*testing.T, *reply)
		want   error
	}{
		{name: "both say the same"},
		{name: "another hash", second: func(t *testing.T, r *reply) {
			if r.Method == "eth_getBlockByNumber" {
				r.edit(t, func(m map[string]any) { m["hash"] = otherHash })
			}
		}, want: ErrDisagree},
		{name: "no such block", second: func(_ *testing.T, r *reply) {
			if r.Method == "eth_getBlockByNumber" {
				r.Result = json.RawMessage("null")
			}
		}, want: ErrDisagree},
		{name: "the first keeps events back", first: func(t *testing.T, r *reply) {
			if r.Method == "eth_getLogs" {
				r.editLogs(t, func(l []map[string]any) []map[string]any { return l[:len(l)-1] })
			}
		}, want: ErrDisagree},
		{name: "the first makes an event up", first: func(t *testing.T, r *reply) {
			if r.Method == "eth_getLogs" {
				r.editLogs(t, func(l []map[string]any) []map[string]any {
					data := l[len(l)-1]["data"].(string)
					l[len(l)-1]["data"] = data[:len(data)-1] + "f"
					return l
				})
			}
		}, want: ErrDisagree},
		{name: "the second keeps events back", second: func(_ *testing.T, r *reply) {
			if r.Method == "eth_getLogs" {
				r.Result = json.RawMessage("[]")
			}
		}, want: ErrDisagree},
		{name: "the second is of another chain", second: func(_ *testing.T, r *reply) {
			if r.Method == "eth_chainId" {
				r.Result = json.RawMessage(`"0x1"`)
			}
		}, want: ErrChainID},
		{name: "the second has other code", second: func(_ *testing.T, r *reply) {
			if r.Method == "eth_getCode" {
				r.Result = json.RawMessage(`"0x6001"`)
			}
		}, want: ErrCode},
		{name: "the second is silent", second: func(_ *testing.T, r *reply) { r.Status = http.StatusBadGateway }, want: ErrUnreachable},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			w.sells()
			w.do(w.keys[1], ledger.Wei(50), w.buyData(ledger.NewKey(), 50))
			w.blocks(4)
			with := func(f func(*testing.T, *reply)) func(*reply) {
				if f == nil {
					return nil
				}
				return func(r *reply) { f(t, r) }
			}
			w.bendBy(with(tt.first))
			w.cfg.Witness = w.bent(with(tt.second))
			var failed error
			w.cfg.Failed = func(err error) { failed = err }
			r := w.reader()
			if err := r.Sync(t.Context()); !errors.Is(err, tt.want) || tt.want == nil && err != nil {
				t.Fatalf("%v, want %v", err, tt.want)
			}
			if !errors.Is(failed, tt.want) || (failed == nil) != (tt.want == nil) {
				t.Errorf("told of %v", failed)
			}
			counts := len(r.State().Providers()) > 0 || !r.Fresh().IsZero()
			if counts != (tt.want == nil) {
				t.Errorf("the state counts: %t", counts)
			}
		})
	}
}

// A second server that knows nothing of confirmed blocks does not make what is
// known be given up.
func TestWitnessBeforeGivingUp(t *testing.T) {
	w := newWorld(t)
	w.sells()
	w.blocks(6)
	var mu sync.Mutex
	honest := true
	w.cfg.Witness = w.bent(func(r *reply) {
		mu.Lock()
		defer mu.Unlock()
		if !honest && r.Method == "eth_getBlockByNumber" {
			r.edit(t, func(m map[string]any) { m["hash"] = ledger.Hash{7}.String() })
		}
	})
	r := w.reader()
	if err := r.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	before, asked := r.State(), w.count("eth_getLogs")
	mu.Lock()
	honest = false
	mu.Unlock()
	w.blocks(1)
	for range 2 * maxBehind {
		if err := r.Sync(t.Context()); !errors.Is(err, ErrDisagree) {
			t.Fatalf("%v", err)
		}
	}
	if r.State() != before || w.count("eth_getLogs") != asked {
		t.Error("a quarrel of two servers changed the state, or what is asked")
	}
}

func TestProbe(t *testing.T) {
	w := newWorld(t)
	if err := Probe(t.Context(), w.cfg); err != nil {
		t.Fatal(err)
	}
	other := w.cfg
	other.CodeHash = ledger.Hash{1}
	if err := Probe(t.Context(), other); !errors.Is(err, ErrCode) {
		t.Errorf("other code: %v", err)
	}
	w.bendBy(func(r *reply) {
		if r.Method == "eth_getBlockByNumber" {
			r.edit(t, func(m map[string]any) { m["timestamp"] = "0x1" })
		}
	})
	old := w.cfg
	old.Network.BlockTime = FilecoinNetwork().BlockTime
	if err := Probe(t.Context(), old); !errors.Is(err, ErrStale) {
		t.Errorf("an old block: %v", err)
	}
}
