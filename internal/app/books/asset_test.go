package books

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/sha3"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/ledger"
)

// What a market is paid in is read once. A program that could not ask when it started
// goes on if it is the chain's currency, and has to be started again if it is a token.
func TestAsset(t *testing.T) {
	var down atomic.Bool
	var asks atomic.Int32
	token := ledger.Address{19: 9}
	asset := token
	chain := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asks.Add(1)
		if down.Load() {
			http.Error(w, "down", http.StatusBadGateway)
			return
		}
		var q struct {
			ID     json.RawMessage
			Method string
			Params []json.RawMessage
		}
		if err := json.NewDecoder(r.Body).Decode(&q); err != nil {
			t.Error(err)
		}
		result := map[string]string{"eth_chainId": "0x7a69", "eth_getCode": "0x01"}[q.Method]
		if q.Method == "eth_call" {
			result = fmt.Sprintf("0x%024x%x", 0, asset[:])
			if strings.Contains(strings.ToLower(string(q.Params[0])), strings.ToLower(token.String())) {
				fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"error":{"code":3,"message":"execution reverted"}}`, q.ID)
				return
			}
		}
		fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"result":%q}`, q.ID, result)
	}))
	defer chain.Close()
	h := sha3.NewLegacyKeccak256()
	h.Write([]byte{1})
	cfg := settings(t, t.TempDir(), nil)
	cfg.Settings.URL, cfg.Settings.CodeHash = chain.URL, ledger.Hash(h.Sum(nil))
	open := func() *Books {
		t.Helper()
		b, err := Open(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	shut := func(b *Books) {
		t.Helper()
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
	}

	down.Store(true)
	b := open()
	if !b.Chain.Asset.IsZero() || !b.unsure {
		t.Errorf("of a chain that is down it knows %s, unsure %t", b.Chain.Asset, b.unsure)
	}
	down.Store(false)
	if err := b.askToken(t.Context()); app.Code(err) != app.ExitNotReady || !strings.Contains(err.Error(), token.String()) {
		t.Errorf("a token, after the start: %v", err)
	}
	shut(b)
	down.Store(true)
	before := asks.Load()
	b = open()
	if b.Chain.Asset != token || b.unsure || asks.Load() != before {
		t.Errorf("what was read is not kept: %s, %d questions", b.Chain.Asset, asks.Load()-before)
	}
	shut(b)

	// Another contract is another matter.
	cfg.Settings.Domain.Contract[5]++
	asset = ledger.Address{}
	b = open()
	down.Store(false)
	ctx, cancel := context.WithCancel(t.Context())
	told := make(chan error, 1)
	go func() { told <- b.askToken(ctx) }()
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if kept, err := b.keptToken(t.Context()); err != nil || kept != nil && !kept.Address.IsZero() {
			t.Fatalf("%+v, %v", kept, err)
		} else if kept != nil {
			break
		}
		if time.Now().After(end) {
			t.Fatal("it is not kept that the chain's currency is meant")
		}
	}
	cancel()
	if err := <-told; !errors.Is(err, context.Canceled) {
		t.Errorf("a market in the chain's currency ends the program: %v", err)
	}
	shut(b)
	if b = open(); b.unsure || !b.Chain.Asset.IsZero() {
		t.Errorf("afterwards: %s, unsure %t", b.Chain.Asset, b.unsure)
	}
	shut(b)
}
