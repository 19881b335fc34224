package paying

import (
	"strings"
	"testing"

	"github.com/culvert-net/culvert/api/openai"
	"github.com/culvert-net/culvert/ledger"
)

// A chat is paid for: the money is set aside, the answer comes, and both books say
// what it cost, when the answer ends.
func TestPayForAChat(t *testing.T) {
	for name, fields := range map[string]string{"document": "", "stream": `,"stream":true`} {
		t.Run(name, func(t *testing.T) {
			m := newMarket(t)
			id := m.buy("", 1_000_000)
			text, resp, err := m.ask(request(t, fields))
			if err != nil || strings.Count(text, "word ") != 20 {
				t.Fatalf("%q, %v", text, err)
			}
			receipt, known := resp.Settled()
			if !known || receipt.Cost != "208" || len(receipt.ID) != 32 { // 8 tokens in, 20 out
				t.Errorf("receipt %+v, known %t", receipt, known)
			}
			m.eventually("the voucher is accepted", func() bool {
				rounds, err := m.channels.Rounds(t.Context(), 1)
				return err == nil && len(rounds) == 1 && rounds[0].Confirmed
			})
			if b := m.balance(id); b.Spent != ledger.Wei(208) || !b.Reserved.IsZero() || !b.Unsettled.IsZero() || b.Running != 0 {
				t.Errorf("%+v", b)
			}
			c := m.till.Counts()
			if c.Admitted != 1 || c.Finished != 1 {
				t.Errorf("the provider's till: %+v", c)
			}
		})
	}
}

// Without money nothing leaves, and the error says what to type.
func TestNoMoney(t *testing.T) {
	m := newMarket(t)
	req := request(t, "")
	req.Account = "key_1"
	_, _, err := m.ask(req)
	e, ok := err.(*openai.Error)
	if !ok || e.Status != 429 || e.Code != openai.CodeQuota || !strings.Contains(e.Message, "bridge buy key_1") {
		t.Errorf("%v, want insufficient_quota with the command", err)
	}
	if c := m.till.Counts(); c.Admitted+c.Refused != 0 {
		t.Errorf("the provider was asked: %+v", c)
	}
}

// Before the chain was read nobody knows what there is: a client that was told that
// its quota is used up gave up, seconds after the bridge had started.
func TestChainUnread(t *testing.T) {
	m := newMarket(t, func(m *market) { m.theirs = &contract{channels: make(map[ledger.ChannelID]ledger.Channel)} })
	funded := m.buy("", 1_000_000)
	bought := m.contract.held(funded)
	m.theirs.set(funded, func(c *ledger.Channel) { *c = bought })
	m.contract.read(false)
	unread := func(what string) {
		t.Helper()
		_, _, err := m.ask(request(t, ""))
		if e, ok := err.(*openai.Error); !ok || e.Status != 503 || e.Code != "chain_unread" || e.RetryAfter <= 0 || !strings.Contains(e.Message, "has not been read yet") {
			t.Errorf("%s: %v, want that the chain was not read", what, err)
		}
	}
	// What is known of the last time is used: it can only have become less by what
	// this side has signed.
	if _, _, err := m.ask(request(t, "")); err != nil {
		t.Errorf("with money of the last time: %v", err)
	}
	m.settled()
	for what, change := range map[string]func(*ledger.Channel){
		"too little": func(c *ledger.Channel) { c.Deposited = ledger.Wei(300) },
		"closing":    func(c *ledger.Channel) { c.CloseAt = 1 },
	} {
		m.contract.set(funded, change)
		unread(what)
		m.contract.set(funded, func(c *ledger.Channel) { *c = bought })
	}
	m.contract.forget(funded)
	unread("nothing")
	m.contract.set(funded, func(c *ledger.Channel) { *c = bought })
	m.contract.read(true)
	m.contract.set(funded, func(c *ledger.Channel) { c.Deposited = ledger.Wei(300) })
	if _, _, err := m.ask(request(t, "")); err == nil || err.(*openai.Error).Code != openai.CodeQuota {
		t.Errorf("once it was read: %v, want insufficient_quota", err)
	}
}
