package evmrpc

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/culvert-net/culvert/ledger/chain"
	"github.com/culvert-net/culvert/mesh/frame"
)

// put asks a desk, and gives what it answers.
func put(t *testing.T, d *Desk, question []byte) (byte, outcome) {
	t.Helper()
	here, there := net.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer there.Close()
		d.answer(t.Context(), there)
	}()
	defer func() { _ = here.Close(); <-done }()
	if err := frame.Write(here, question); err != nil {
		t.Fatal(err)
	}
	b, err := frame.Read(here, 1+maxAnswer)
	if err != nil {
		t.Fatal(err)
	}
	verdict, o, err := decode(b)
	if err != nil {
		t.Fatalf("%.80q: %v", b, err)
	}
	return verdict, o
}

// What a node says is passed back if it is an answer, and small enough; what else
// it does has a verdict, in which nothing of the node is.
func TestDeskPassesBack(t *testing.T) {
	long := strings.Repeat("x", 2*maxMessage)
	for _, tt := range []struct {
		name string
		node canned
		want byte
		says string
	}{
		{"a result", says(200, `{"jsonrpc":"2.0","id":1,"result":"0x7a69"}`), answered, `{"result":"0x7a69"}`},
		{"nothing", says(200, `{"jsonrpc":"2.0","id":1,"result":null}`), answered, `{"result":null}`},
		{"an error", says(200, `{"jsonrpc":"2.0","id":1,"error":{"code":3,"message":"no","data":"0x01","meta":{"a":1}}}`), answered, `{"error":{"code":3,"message":"no","data":"0x01"}}`},
		{"an error beside nothing", says(200, `{"id":1,"result":null,"error":{"code":3,"message":"no","data":{"a":1}}}`), answered, `{"error":{"code":3,"message":"no"}}`},
		{"a long error", says(200, `{"error":{"code":1,"message":"`+long+`"}}`), answered, `{"error":{"code":1,"message":"` + long[:maxMessage] + `"}}`},
		{"too much", says(200, `{"result":"`+strings.Repeat("x", maxAnswer)+`"}`), large, ""},
		{"neither", says(200, `{"id":1}`), silent, ""},
		{"no JSON", says(200, `<html>`), silent, ""},
		{"asked too much", says(429, `slow`), busy, ""},
		{"moved", canned(func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 307, Header: http.Header{"Location": {"http://127.0.0.1:2/"}}, Body: http.NoBody}, nil
		}), silent, ""},
		{"broken", says(502, `http://user:secret@node`), silent, ""},
		{"away", func(*http.Request) (*http.Response, error) { return nil, errors.New("dial secret") }, silent, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cfg := nobody()
			cfg.Transport = tt.node
			d, _ := desk(t, cfg)
			verdict, o := put(t, d, []byte(`{"method":"eth_chainId","params":[]}`))
			got := ""
			if verdict == answered {
				b, err := json.Marshal(o)
				if err != nil {
					t.Fatal(err)
				}
				got = string(b)
			}
			if verdict != tt.want || got != tt.says {
				t.Errorf("verdict %d, %s; want %d, %s", verdict, got, tt.want, tt.says)
			}
			if c := d.Status().Counts; c.Answered+c.Busy+c.Failed != 1 {
				t.Errorf("counted %+v", c)
			}
		})
	}
}

// What is no question of ours does not get to the node.
func TestDeskRefuses(t *testing.T) {
	var reached atomic.Int32
	cfg := nobody()
	cfg.Transport = canned(func(*http.Request) (*http.Response, error) {
		reached.Add(1)
		return says(200, `{"result":1}`)(nil)
	})
	d, _ := desk(t, cfg)
	for _, q := range []string{
		`{"method":"eth_accounts","params":[]}`, `{"method":"debug_traceBlock"}`, `[]`, `x`,
		`{"method":"eth_getLogs","params":[{"fromBlock":"0x1","toBlock":"0x2","address":"0x0000000000000000000000000000000000000002"}]}`,
		`{"method":"eth_chainId","params":[],"id":7}`,
	} {
		if verdict, _ := put(t, d, []byte(q)); verdict != refused {
			t.Errorf("%s: verdict %d", q, verdict)
		}
	}
	if reached.Load() != 0 {
		t.Errorf("%d reached the node", reached.Load())
	}
	if c := d.Status().Counts; c.Refused != 6 {
		t.Errorf("counted %+v", c)
	}
}

// Who asks too much, or all at once, is told so, and a node is asked a few things at
// a time; who stalls is left.
func TestDeskBounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var at, most, all atomic.Int32
		cfg := nobody()
		cfg.Transport = canned(func(r *http.Request) (*http.Response, error) {
			most.Store(max(most.Load(), at.Add(1)))
			defer at.Add(-1)
			all.Add(1)
			select {
			case <-time.After(2 * turnLimit):
			case <-r.Context().Done():
				return nil, r.Context().Err()
			}
			return says(200, `{"result":1}`)(nil)
		})
		d, _ := desk(t, cfg)
		var wg sync.WaitGroup
		var verdicts [8]atomic.Int32
		for range 3 * maxAsked {
			wg.Go(func() {
				v, _ := d.pass(t.Context(), []byte(`{"method":"eth_chainId"}`))
				verdicts[v].Add(1)
			})
		}
		wg.Wait()
		if most.Load() != maxAsked || verdicts[answered].Load() != maxAsked || verdicts[busy].Load() != 2*maxAsked {
			t.Errorf("%d at a time, %d answered, %d told that there is no room", most.Load(), verdicts[answered].Load(), verdicts[busy].Load())
		}

		// More than the rate does not wait.
		d.cfg.Chain.Transport = nil
		before := all.Load()
		flood := 0
		quick, cancel := context.WithCancel(t.Context())
		cancel()
		for range 3 * burst {
			if v, _ := d.pass(quick, []byte(`{"method":"eth_chainId"}`)); v == busy {
				flood++
			}
		}
		if flood < burst || all.Load()-before > burst+1 {
			t.Errorf("%d of %d are told that there is no room, %d reached the node", flood, 3*burst, all.Load()-before)
		}

		// A question that does not come is not waited for.
		here, there := net.Pipe()
		defer here.Close()
		began := time.Now()
		if d.answer(t.Context(), there) {
			t.Error("nothing was answered")
		}
		if took := time.Since(began); took != questionLimit {
			t.Errorf("waited %v for a question", took)
		}

		// Nor is one who does not read.
		time.Sleep(time.Minute)
		here, there = net.Pipe()
		defer here.Close()
		done := make(chan bool)
		began = time.Now()
		go func() { done <- d.answer(t.Context(), there) }()
		if err := frame.Write(here, []byte(`{"method":"eth_chainId"}`)); err != nil {
			t.Fatal(err)
		}
		if <-done {
			t.Error("an answer that nobody read was given")
		}
		if took := time.Since(began); took > 2*turnLimit+answerLimit {
			t.Errorf("waited %v for a reader", took)
		}
		if d.held.Load() != 0 {
			t.Errorf("%d bytes of answers are still held", d.held.Load())
		}
	})
}

// Answers that wait to be read are bounded all together.
func TestDeskHoldsSoMuch(t *testing.T) {
	cfg := nobody()
	cfg.Transport = says(200, `{"result":"`+strings.Repeat("x", maxAnswer/2)+`"}`)
	d, _ := desk(t, cfg)
	d.held.Store(maxHeld - maxAnswer/4)
	if verdict, _ := put(t, d, []byte(`{"method":"eth_chainId"}`)); verdict != busy {
		t.Errorf("verdict %d", verdict)
	}
	d.held.Store(0)
	if verdict, _ := put(t, d, []byte(`{"method":"eth_chainId"}`)); verdict != answered {
		t.Errorf("verdict %d", verdict)
	}
}

// A node that stops answering is no longer offered, after some looks, and is again at
// the first that succeeds; the log says why, without its address.
func TestDeskWatchesItsNode(t *testing.T) {
	real := market(t)
	told := make(chan struct{}, 16)
	var log bytes.Buffer
	cfg := real
	var down atomic.Bool
	cfg.Transport = canned(func(r *http.Request) (*http.Response, error) {
		if down.Load() {
			return nil, errors.New("connection refused")
		}
		return http.DefaultTransport.RoundTrip(r)
	})
	d, err := NewDesk(DeskConfig{Chain: cfg, Changed: func() { told <- struct{}{} }, Log: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	if d.Alive() {
		t.Error("offered before it was looked at")
	}
	if !d.Look(t.Context(), nodeLimit) || !d.Alive() || len(told) != 1 {
		t.Fatalf("%+v", d.Status())
	}
	down.Store(true)
	for i := range maxMisses {
		if d.Alive() != true {
			t.Errorf("not offered after %d misses", i)
		}
		if d.Look(t.Context(), nodeLimit) {
			t.Error("a dead node answers")
		}
	}
	if s := d.Status(); s.Alive || s.Problem == "" || len(told) != 2 {
		t.Errorf("%+v, told %d times", s, len(told))
	}
	down.Store(false)
	if !d.Look(t.Context(), nodeLimit) || !d.Alive() || d.Status().Problem != "" || len(told) != 3 {
		t.Errorf("%+v", d.Status())
	}
	if strings.Contains(log.String(), "127.0.0.1") || strings.Count(log.String(), "\n") != 3 {
		t.Errorf("logged:\n%s", log.String())
	}
	other := cfg
	other.CodeHash[0]++
	d, err = NewDesk(DeskConfig{Chain: other, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if d.Look(t.Context(), nodeLimit) || d.Alive() || !strings.Contains(d.Status().Problem, chain.ErrCode.Error()) {
		t.Errorf("with other code: %+v", d.Status())
	}
}

func FuzzAnswer(f *testing.F) {
	for _, seed := range []string{"\x00{\"result\":1}", "\x00{\"error\":{\"code\":1,\"message\":\"x\"}}", "\x01", "\x04", "\x05", "\x01x", "\x00{}", "\x00{\"result\":1,\"error\":{}}", ""} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		verdict, o, err := decode(b)
		if err != nil {
			return
		}
		again, err := encode(verdict, o)
		if err != nil {
			t.Fatal(err)
		}
		v, p, err := decode(again)
		if err != nil || v != verdict || (o.Error == nil) != (p.Error == nil) {
			t.Fatalf("%q becomes %q: %v", b, again, err)
		}
	})
}

func FuzzCall(f *testing.F) {
	f.Add([]byte(`{"jsonrpc":"2.0","id":1,"method":"eth_chainId"}`))
	f.Add([]byte(`{"jsonrpc":"2.0","id":1,"method":"eth_getBlockByNumber","params":["latest",false]}`))
	f.Add([]byte(`[{"id":1}]`))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := readCall(bytes.NewReader(b))
		if err == nil && (c.Method == "" || len(c.ID) == 0 || len(b) > chain.MaxQuestion) {
			t.Fatalf("%q is read as %+v", b, c)
		}
	})
}
