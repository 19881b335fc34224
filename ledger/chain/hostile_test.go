package chain

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common/hexutil"

	"github.com/culvert-net/culvert/ledger"
)

// edit changes fields of an answer that is an object.
func (r *reply) edit(t *testing.T, f func(map[string]any)) {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal(r.Result, &m); err != nil {
		t.Error(err)
		return
	}
	f(m)
	r.Result, _ = json.Marshal(m)
}

// editLogs changes the events of an answer.
func (r *reply) editLogs(t *testing.T, f func([]map[string]any) []map[string]any) {
	t.Helper()
	var m []map[string]any
	if err := json.Unmarshal(r.Result, &m); err != nil {
		t.Error(err)
		return
	}
	r.Result, _ = json.Marshal(f(m))
}

// Every way in which a server can answer wrongly has a name, and leaves the state
// as it was.
func TestHostileServer(t *testing.T) {
	first := func(change func(map[string]any)) func(*testing.T, *reply) {
		return func(t *testing.T, r *reply) {
			if r.Method == "eth_getLogs" {
				r.editLogs(t, func(logs []map[string]any) []map[string]any {
					if len(logs) > 0 {
						change(logs[0])
					}
					return logs
				})
			}
		}
	}
	on := func(method string, f func(*reply)) func(*testing.T, *reply) {
		return func(_ *testing.T, r *reply) {
			if r.Method == method {
				f(r)
			}
		}
	}
	all := func(f func(*reply)) func(*testing.T, *reply) { return func(_ *testing.T, r *reply) { f(r) } }
	for _, tt := range []struct {
		name string
		bend func(*testing.T, *reply)
		want error
	}{
		{"another chain", on("eth_chainId", func(r *reply) { r.Result = json.RawMessage(`"0x1"`) }), ErrChainID},
		{"another contract", on("eth_getCode", func(r *reply) { r.Result = json.RawMessage(`"0x6001"`) }), ErrCode},
		{"no contract", on("eth_getCode", func(r *reply) { r.Result = json.RawMessage(`"0x"`) }), ErrCode},
		{"endless code", on("eth_getCode", func(r *reply) {
			r.Result = json.RawMessage(`"0x` + strings.Repeat("00", maxCode+1) + `"`)
		}), ErrTooLarge},
		{"no JSON", all(func(r *reply) { r.Raw = []byte("<html>") }), ErrAnswer},
		{"no result", all(func(r *reply) { r.Raw = []byte(`{"jsonrpc":"2.0","id":1}`) }), ErrAnswer},
		{"a result of another type", all(func(r *reply) { r.Result = json.RawMessage(`{"a":1}`) }), ErrAnswer},
		{"nothing", all(func(r *reply) { r.Raw = []byte{} }), ErrAnswer},
		{"half an answer", all(func(r *reply) { r.Raw = []byte(`{"jsonrpc":"2.0","id":1,"result":"0x`) }), ErrAnswer},
		{"busy", all(func(r *reply) { r.Status = http.StatusTooManyRequests }), ErrBusy},
		{"an error of HTTP", all(func(r *reply) { r.Status = http.StatusBadGateway }), ErrUnreachable},
		{"a redirection", all(func(r *reply) { r.Status = http.StatusFound }), ErrUnreachable},
		{"endless answer", on("eth_getLogs", func(r *reply) {
			r.Raw = append([]byte(`{"jsonrpc":"2.0","id":1,"result":[`), bytes.Repeat([]byte(" "), maxAnswer)...)
		}), ErrTooLarge},
		{"a block without a hash", on("eth_getBlockByNumber", func(r *reply) { r.Result = json.RawMessage(`{"number":"0x5","timestamp":"0x1"}`) }), ErrAnswer},
		{"a block with another number", func(t *testing.T, r *reply) {
			if r.Method == "eth_getBlockByNumber" && string(r.Params[0]) != `"latest"` {
				r.edit(t, func(m map[string]any) { m["number"] = "0x1234" })
			}
		}, ErrInconsistent},
		{"a base fee without end", func(t *testing.T, r *reply) {
			if r.Method == "eth_getBlockByNumber" {
				r.edit(t, func(m map[string]any) { m["baseFeePerGas"] = "0x1" + strings.Repeat("0", 32) })
			}
		}, ErrTooLarge},
		{"hashes that change with each question", func() func(*testing.T, *reply) {
			n := 0
			return func(t *testing.T, r *reply) {
				if r.Method == "eth_getBlockByNumber" {
					n++
					r.edit(t, func(m map[string]any) { m["hash"] = fmt.Sprintf("0x%064x", n) })
				}
			}
		}(), ErrMoved},
		{"no head", on("eth_getBlockByNumber", func(r *reply) { r.Result = json.RawMessage(`null`) }), errNoBlock},
		{"an event of another contract", first(func(l map[string]any) { l["address"] = ledger.Address{1}.String() }), ErrForeignLog},
		{"an event of a block that was not asked for", first(func(l map[string]any) { l["blockNumber"] = "0xffff" }), ErrForeignLog},
		{"an event that was removed", first(func(l map[string]any) { l["removed"] = true }), ErrRemovedLog},
		{"an event without a block", first(func(l map[string]any) { delete(l, "blockNumber") }), ErrAnswer},
		{"an event without a hash", first(func(l map[string]any) { delete(l, "blockHash") }), ErrAnswer},
		{"an event without a name", first(func(l map[string]any) { l["topics"] = []string{} }), ErrInconsistent},
		{"an event the contract does not have", first(func(l map[string]any) { l["topics"] = []string{ledger.Hash{5}.String()} }), ErrInconsistent},
		{"an event of five topics", first(func(l map[string]any) {
			z := ledger.Hash{}.String()
			l["topics"] = []string{z, z, z, z, z}
		}), ErrTooLarge},
		{"an event with too much data", first(func(l map[string]any) { l["data"] = "0x" + strings.Repeat("00", maxLogData+1) }), ErrTooLarge},
		// Seen to end the program: no data became numbers that are nil.
		{"an event without data", first(func(l map[string]any) { l["data"] = "0x" }), ErrInconsistent},
		{"an event cut short", first(func(l map[string]any) { l["data"] = l["data"].(string)[:66] }), ErrInconsistent},
		{"an event number beyond all", first(func(l map[string]any) { l["logIndex"] = "0xffffffffffff" }), ErrTooLarge},
		{"an event of another fork", func(t *testing.T, r *reply) {
			if r.Method == "eth_getLogs" {
				r.editLogs(t, func(logs []map[string]any) []map[string]any {
					logs[len(logs)-1]["blockHash"] = ledger.Hash{3}.String()
					return logs
				})
			}
		}, ErrInconsistent},
		{"a page of another fork", func(t *testing.T, r *reply) {
			if r.Method == "eth_getLogs" {
				r.editLogs(t, func(logs []map[string]any) []map[string]any {
					for _, l := range logs[1:] {
						l["blockHash"] = ledger.Hash{3}.String()
					}
					return logs
				})
			}
		}, ErrMoved},
		{"events in the wrong order", func(t *testing.T, r *reply) {
			if r.Method == "eth_getLogs" {
				r.editLogs(t, func(logs []map[string]any) []map[string]any {
					if len(logs) > 1 {
						logs[0], logs[1] = logs[1], logs[0]
					}
					return logs
				})
			}
		}, ErrInconsistent},
		{"an event twice", func(t *testing.T, r *reply) {
			if r.Method == "eth_getLogs" {
				r.editLogs(t, func(logs []map[string]any) []map[string]any { return append(logs[:1], logs...) })
			}
		}, ErrInconsistent},
		{"too many events", func(t *testing.T, r *reply) {
			if r.Method == "eth_getLogs" {
				r.Result = json.RawMessage(`[` + strings.Repeat(`{},`, maxLogs) + `{}]`)
			}
		}, ErrTooLarge},
		{"an event left out", func(t *testing.T, r *reply) { // the registration before the purchase
			if r.Method == "eth_getLogs" {
				r.editLogs(t, func(logs []map[string]any) []map[string]any { return logs[1:] })
			}
		}, ErrInconsistent},
		{"a short memory", on("eth_getLogs", func(r *reply) {
			r.Error = &replyError{1, "bad tipset height: lookbacks of more than 16h40m0s are disallowed", nil}
		}), ErrLookback},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			w.cfg.Network.Confirmations = 0
			w.sells()
			// Two events in one block.
			w.send(w.keys[1], ledger.Wei(50), w.buyData(ledger.NewKey(), 50))
			w.do(w.keys[2], ledger.Wei(50), w.buyData(ledger.NewKey(), 50))
			r := w.reader()
			w.bendBy(func(r *reply) { tt.bend(t, r) })
			err := r.Sync(t.Context())
			if !errors.Is(err, tt.want) {
				t.Fatalf("%v, want %v", err, tt.want)
			}
			if s := r.State(); len(s.Providers()) != 0 || !r.Fresh().IsZero() {
				t.Errorf("state %+v, fresh %v after a wrong answer", s, r.Fresh())
			}
			if got := r.Status().Err; !errors.Is(got, tt.want) {
				t.Errorf("status %v", got)
			}
			if strings.Contains(err.Error(), w.cfg.URL) {
				t.Errorf("the error names the URL: %v", err)
			}
			w.bendBy(nil)
			if err := r.Sync(t.Context()); err != nil {
				t.Fatalf("once the server is right: %v", err)
			}
			w.agrees(r.State().View, w.head().Number)
		})
	}
}

// A URL may hold an access key.
func TestErrorsDoNotNameTheURL(t *testing.T) {
	w := newWorld(t)
	for _, at := range []string{"http://127.0.0.1:1/very-secret", "http://user:very-secret@127.0.0.1:1/", "http://127.0.0.1:1/%zzvery-secret", "ftp://very-secret"} {
		cfg := w.cfg
		cfg.URL = at
		r, err := NewReader(cfg)
		if err == nil {
			err = r.Sync(t.Context())
		}
		if err == nil || strings.Contains(err.Error(), "very-secret") {
			t.Errorf("%s: %v", at, err)
		}
	}
}

// Servers limit the blocks of a question, or the events of an answer; pages
// shrink until they fit, and nothing is left out.
func TestPagesShrink(t *testing.T) {
	w := newWorld(t)
	w.sells()
	for range 8 {
		w.send(w.keys[1], ledger.Wei(50), w.buyData(ledger.NewKey(), 50))
		w.do(w.keys[2], ledger.Wei(50), w.buyData(ledger.NewKey(), 50))
		w.blocks(1)
	}
	w.blocks(2)
	for _, tt := range []struct {
		name string
		bend func(r *reply, blocks uint64, logs int)
	}{
		{"blocks", func(r *reply, blocks uint64, _ int) {
			if blocks > 3 {
				r.Error = &replyError{-32600, "exceed maximum block range: 3", nil}
			}
		}},
		{"events", func(r *reply, _ uint64, logs int) {
			if logs > 2 {
				r.Error = &replyError{-32005, "query returned more than 2 results", nil}
			}
		}},
		{"bytes", func(r *reply, blocks uint64, _ int) {
			if blocks > 1 {
				r.Raw = append([]byte(`{"jsonrpc":"2.0","id":1,"result":[`), bytes.Repeat([]byte(" "), maxAnswer)...)
			}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w.bendBy(func(r *reply) {
				if r.Method != "eth_getLogs" {
					return
				}
				var q struct{ FromBlock, ToBlock hexutil.Uint64 }
				var logs []json.RawMessage
				if json.Unmarshal(r.Params[0], &q) != nil || json.Unmarshal(r.Result, &logs) != nil {
					t.Errorf("question %s", r.Params)
				}
				tt.bend(r, uint64(q.ToBlock-q.FromBlock)+1, len(logs))
			})
			r := w.reader()
			if err := r.Sync(t.Context()); err != nil {
				t.Fatal(err)
			}
			s := r.State()
			if n := len(s.Channels(func(ledger.Channel) bool { return true })); n != 16 {
				t.Errorf("%d channels, want 16", n)
			}
			w.agrees(s.View, s.Confirmed.Number)
		})
	}
	t.Run("a server that refuses every page is believed", func(t *testing.T) {
		w.bendBy(func(r *reply) {
			if r.Method == "eth_getLogs" {
				r.Error = &replyError{-32601, "the method eth_getLogs is not available", nil}
			}
		})
		err := w.reader().Sync(t.Context())
		var refused *RefusedError
		if !errors.As(err, &refused) || refused.Method != "eth_getLogs" {
			t.Errorf("%v, want a refusal", err)
		}
	})
}

// The log is asked for whole: whoever reads the questions learns which contract,
// and nothing else.
func TestQuestionsNameNobody(t *testing.T) {
	w := newWorld(t)
	provider := w.sells()
	session := ledger.NewKey()
	w.do(w.keys[1], ledger.Wei(50), w.buyData(session, 50))
	w.blocks(3)
	id := ledger.ChannelOf(provider.Address(), session.Address(), w.keys[1].Address())
	w.bendBy(func(r *reply) {
		question := strings.ToLower(fmt.Sprintf("%s %s", r.Method, r.Params))
		for _, secret := range []string{provider.Address().String(), session.Address().String(), w.keys[1].Address().String(), id.String(), "topics"} {
			if strings.Contains(question, strings.ToLower(strings.TrimPrefix(secret, "0x"))) {
				t.Errorf("asked: %s", question)
			}
		}
	})
	r := w.reader()
	if err := r.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, ok := r.Channel(id); !ok {
		t.Error("the channel was not read")
	}
}

// On Filecoin some heights have no block, and asking for one is an error.
func TestNullRounds(t *testing.T) {
	w := newWorld(t)
	w.cfg.Network.MaxRange = 1 // each height is the end of a page
	w.sells()
	w.do(w.keys[1], ledger.Wei(50), w.buyData(ledger.NewKey(), 50))
	w.blocks(12)
	deep := w.head().Number - w.cfg.Network.Confirmations
	empty := map[string]bool{}
	for _, n := range []uint64{5, 6, 7, 9, deep} { // none with an event
		empty[`"`+hexutil.EncodeUint64(n)+`"`] = true
	}
	w.bendBy(func(r *reply) {
		if r.Method == "eth_getBlockByNumber" && empty[string(r.Params[0])] {
			r.Error = &replyError{1, "requested epoch was a null round", nil}
		}
	})
	r := w.reader()
	if err := r.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s := r.State(); s.Confirmed.Number != deep-1 || len(s.Channels(func(ledger.Channel) bool { return true })) != 1 {
		t.Errorf("confirmed %d, want %d", s.Confirmed.Number, deep-1)
	}
}

// A server that stands still is no fresh one, however fast it answers.
func TestStaleServer(t *testing.T) {
	n := FilecoinNetwork()
	now := time.Unix(1_700_000_000, 0)
	for _, tt := range []struct {
		age  time.Duration
		want error
	}{
		{0, nil},
		{19 * time.Minute, nil},
		{21 * time.Minute, ErrStale},
		{-21 * time.Minute, ErrStale},
		{1000 * time.Hour, ErrStale},
	} {
		head := Block{Time: uint64(now.Add(-tt.age).Unix())}
		if err := n.young(head, now); !errors.Is(err, tt.want) {
			t.Errorf("a block of %v ago: %v, want %v", tt.age, err, tt.want)
		}
		if err := DevNetwork().young(head, now); err != nil {
			t.Errorf("on demand, a block of %v ago: %v", tt.age, err)
		}
	}
	if err := n.young(Block{Time: 1<<64 - 1}, now); !errors.Is(err, ErrStale) {
		t.Errorf("a block at the end of time: %v", err)
	}
}

// Servers behind one address are not equally far. One that is behind what was
// confirmed is waited for, and believed when it stays so.
func TestServerBehind(t *testing.T) {
	w := newWorld(t)
	w.sells()
	w.blocks(6)
	r := w.reader()
	if err := r.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	fresh, confirmed := r.Fresh(), r.State().Confirmed
	w.bendBy(func(r *reply) {
		if r.Method == "eth_getBlockByNumber" && string(r.Params[0]) == `"latest"` {
			_ = w.node.CallContext(t.Context(), &r.Result, r.Method, hexutil.EncodeUint64(confirmed.Number-1), false)
		}
	})
	for i := range maxBehind {
		if err := r.Sync(t.Context()); !errors.Is(err, ErrBehind) {
			t.Fatalf("time %d: %v, want %v", i, err, ErrBehind)
		}
	}
	if r.Fresh() != fresh || r.State().Confirmed != confirmed {
		t.Error("a server that is behind changed the state")
	}
	if err := r.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	if r.State().Head.Number != confirmed.Number-1 {
		t.Errorf("head %+v", r.State().Head)
	}
	w.bendBy(nil)
	if err := r.Sync(t.Context()); err != nil || r.State().Head.Hash != w.head().Hash {
		t.Errorf("%v, %+v", err, r.State().Head)
	}
}

// A page that lacked events is found by the events after it, and the log is read
// again.
func TestOmissionIsHealed(t *testing.T) {
	w := newWorld(t)
	w.cfg.Network.Confirmations = 0
	w.sells()
	r := w.reader()
	w.bendBy(func(r *reply) {
		if r.Method == "eth_getLogs" {
			r.Result = json.RawMessage(`[]`)
		}
	})
	if err := r.Sync(t.Context()); err != nil || len(r.State().Providers()) != 0 {
		t.Fatalf("%v", err)
	}
	w.bendBy(nil)
	w.do(w.keys[1], ledger.Wei(50), w.buyData(ledger.NewKey(), 50))
	for i := range maxDoubts {
		if err := r.Sync(t.Context()); !errors.Is(err, ErrInconsistent) {
			t.Fatalf("time %d: %v, want %v", i, err, ErrInconsistent)
		}
	}
	if err := r.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.agrees(r.State().View, w.head().Number)
	if len(r.State().Providers()) != 1 {
		t.Error("the provider was not found")
	}
}
