package tunnel

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/culvert-net/culvert/api/backend"
	"github.com/culvert-net/culvert/api/openai"
)

const (
	toldChunk = "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":2,\"prompt_tokens_details\":{\"cached_tokens\":4}}}\n\n"
	paidText  = good + "data: {\"choices\":[{\"delta\":{\"content\":\"h\\u00e9llo\"}}]}\n\n" + toldChunk + "data: [DONE]\n\n"
)

// A payment is opened when the stream is there, for what leaves; its header goes
// with the request; it sees the answer and, at its end, is asked what it cost.
func TestPayment(t *testing.T) {
	for _, tt := range []struct{ name, data, answer, text string }{
		{"stream", `{"model":"m","stream":true,"user":"u","messages":[{"role":"user","content":"hi"}]}`, streamAnswer(good, paidText[len(good):]), paidText},
		{"document", plainChat, jsonAnswer(`{"choices":[{"message":{"content":"hi"}}]}`), `{"choices":[{"message":{"content":"hi"}}]}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				payer, sent := &fakePayer{t: t}, make(chan string, 1)
				d := newDialer(t, func(conn *memConn) {
					sent <- takeRequest(conn)
					_, _ = io.WriteString(conn, tt.answer)
					_ = conn.CloseWrite()
				})
				req, whose := chat(t, tt.data), &purse{}
				req.Purse = whose
				resp, err := payingClient(t, newRouter("a"), d, payer).Do(t.Context(), req)
				if err != nil {
					t.Fatal(err)
				}
				if resp.Settled == nil {
					t.Fatal("an answer that is paid for does not say so")
				}
				if _, ok := resp.Settled(); ok {
					t.Error("the cost was known before the answer was read")
				}
				text, err := io.ReadAll(resp.Body)
				if err != nil || string(text) != tt.text {
					t.Fatalf("answer %q, %v", text, err)
				}
				p, raw := payer.only(), <-sent
				head, data, _ := strings.Cut(raw, "\r\n\r\n")
				if !strings.Contains(head, "\r\nX-Culvert-Round: "+p.round) {
					t.Errorf("the request has no header of its payment: %q", head)
				}
				if p.body != data || p.body == tt.data && tt.name == "stream" {
					t.Errorf("the payment was for %q, and %q left", p.body, data)
				}
				if p.seen.String() != tt.text {
					t.Errorf("the payment saw %q, want %q", p.seen.String(), tt.text)
				}
				if r, ok := resp.Settled(); !ok || r != (backend.Receipt{ID: p.round, Cost: "7"}) {
					t.Errorf("Settled = %+v, %v", r, ok)
				}
				if len(whose.spent) != 1 || whose.spent[0].Cost != "7" || whose.asked != 1 {
					t.Errorf("the purse was asked %d times and told %v, want 1 and one receipt", whose.asked, whose.spent)
				}
				end := p.ended[0]
				if !end.Sent || end.Usage != p.so || len(p.ended) != 1 || tt.name == "stream" && (!end.Usage.Told ||
					end.Usage.Input != 5 || end.Usage.Cached != 4 || end.Usage.Output != 2 || end.Usage.Text.Content != 6) {
					t.Errorf("the payment ended with %+v", p.ended)
				}
				_ = resp.Body.Close()
				if len(p.ended) != 1 {
					t.Error("closing ended the payment again")
				}
			})
		})
	}
}

// What cannot be paid for is not sent: another provider is asked, and if there is
// nobody else the person is told what the payer says. No provider is blamed.
func TestPaymentNotOpened(t *testing.T) {
	broke := &openai.Error{Status: 429, Type: openai.CodeQuota, Code: openai.CodeQuota, Message: "no tokens are left; run: bridge buy"}
	toA := func(err error) func(context.Context, Target) error {
		return func(_ context.Context, to Target) error {
			if to.Name == "a" {
				return err
			}
			return nil
		}
	}
	for _, tt := range []struct {
		name      string
		providers []string
		open      func(context.Context, Target) error
		purse     error
		want      outcome
		reports   string
		ends      []string
	}{
		{"another is asked", []string{"a", "b"}, toA(broke), nil, outcome{status: 200, text: good}, "a cancelled, b ok", []string{"b ok 0 "}},
		{"nobody else", []string{"a"}, toA(broke), nil, outcome{status: 429, text: broke.Message}, "a cancelled", nil},
		{"no money for either", []string{"a", "b", "c"}, func(context.Context, Target) error { return broke }, nil, outcome{status: 429, text: broke.Message}, "a cancelled, b cancelled", nil},
		{
			"a disk that is full",
			[]string{"a"},
			toA(errors.New("no space left on /var")), nil,
			outcome{status: 503, text: "what pays for the request could not be set aside on this machine; its log says why, ask again"},
			"a cancelled", nil,
		},
		{"a purse that is empty", []string{"a"}, nil, broke, outcome{status: 429, text: broke.Message}, "a cancelled", []string{"a cancelled 0 "}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				payer := &fakePayer{t: t, open: tt.open}
				answer := say(streamAnswer(good))
				r, d := newRouter(tt.providers...), newDialer(t, answer, answer)
				c := payingClient(t, r, d, payer)
				req := chat(t, streamChat)
				req.Purse = &purse{refuse: tt.purse}
				if got := askWith(t, c, req); got != tt.want {
					t.Errorf("answer %+v, want %+v", got, tt.want)
				}
				if got := r.reported(); got != tt.reports {
					t.Errorf("reported %q, want %q", got, tt.reports)
				}
				if got := payer.ends(); !slices.Equal(got, tt.ends) {
					t.Errorf("payments %q, want %q", got, tt.ends)
				}
				for i, conn := range d.conns {
					if reset, _ := conn.state(); i < len(tt.providers)-1 && tt.want.status != 200 && (conn.sent() != "" || !reset) {
						t.Errorf("%q was sent to a provider who is not paid, or the stream was left (reset %v)", conn.sent(), reset)
					}
				}
			})
		})
	}
}

// A payment that has to wait does so with one stream after the other, of which those
// that are given back have brought nothing, unless somebody else can be paid at once;
// who answers is reported on once.
func TestPaymentWaits(t *testing.T) {
	for _, tt := range []struct {
		name      string
		providers []string
		b         error // what opening a payment to b says
		reports   string
		waited    []time.Duration
	}{
		{"nobody else", []string{"a"}, nil, "a ok", []time.Duration{0, 1, OpenLimit}},
		{"another is free", []string{"a", "b"}, nil, "a cancelled, b ok", []time.Duration{0, 0}},
		{"another has no room either", []string{"a", "b"}, ErrWaits, "b cancelled, a ok", []time.Duration{0, 0, 1, OpenLimit}},
		{"another cannot be paid", []string{"a", "b"}, openai.Quota("nothing was bought there"), "b cancelled, a ok", []time.Duration{0, 0, 1, OpenLimit}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				opened := 0 // to a
				payer := &fakePayer{t: t, open: func(_ context.Context, to Target) error {
					if to.Name == "b" {
						return tt.b
					}
					if opened++; opened > 1 {
						time.Sleep(OpenLimit)
					}
					if opened < 3 {
						return ErrWaits
					}
					return nil
				}}
				last := len(tt.waited) - 1
				plays := slices.Repeat([]peer{func(conn *memConn) { <-conn.Done() }}, last)
				r, d := newRouter(tt.providers...), newDialer(t, append(plays, say(streamAnswer(good)))...)
				w := waitingPayer{payer, new([]time.Duration)}
				if got, want := askWith(t, payingClient(t, r, d, w), chat(t, streamChat)), (outcome{status: 200, text: good}); got != want {
					t.Errorf("answer %+v, want %+v", got, want)
				}
				if got := r.reported(); got != tt.reports {
					t.Errorf("reported %q, want %q", got, tt.reports)
				}
				if !slices.Equal(*w.waited, tt.waited) {
					t.Errorf("the payer is told that it has waited %v, want %v", *w.waited, tt.waited)
				}
				for i, conn := range d.conns {
					if reset, _ := conn.state(); i < last && (conn.sent() != "" || !reset) {
						t.Errorf("stream %d: %q was sent, reset %v", i, conn.sent(), reset)
					}
				}
			})
		})
	}
}

type waitingPayer struct {
	*fakePayer
	waited *[]time.Duration
}

func (p waitingPayer) Open(ctx context.Context, to Target, ask Ask) (Payment, error) {
	*p.waited = append(*p.waited, ask.Waited)
	return p.fakePayer.Open(ctx, to, ask)
}

// A payment whose header would not pass is not sent.
func TestPaymentHeader(t *testing.T) {
	for _, round := range []string{"", "a b", "a\r\nX: y", strings.Repeat("a", MaxRound+1), "ä"} {
		synctest.Test(t, func(t *testing.T) {
			payer := &fakePayer{t: t}
			d := newDialer(t, func(*memConn) {})
			c := payingClient(t, newRouter("a"), d, headerPayer{payer, round})
			if got := askWith(t, c, chat(t, streamChat)); got.status != 503 {
				t.Errorf("header %q: %+v, want 503", round, got)
			}
			if d.conns[0].sent() != "" {
				t.Errorf("header %q: something was sent", round)
			}
			if got := payer.ends(); !slices.Equal(got, []string{"a cancelled 0 "}) {
				t.Errorf("header %q: payments %q", round, got)
			}
		})
	}
}

type headerPayer struct {
	*fakePayer
	round string
}

func (p headerPayer) Open(ctx context.Context, to Target, ask Ask) (Payment, error) {
	one, err := p.fakePayer.Open(ctx, to, ask)
	one.(*fakePayment).round = p.round
	return one, err
}

// Providers' words about money move a request on to another provider, each paid
// by a payment of its own; what else they refuse does not.
func TestRefusedPayment(t *testing.T) {
	envelope := func(code string) string {
		return `{"error":{"message":"say","type":"insufficient_quota","param":null,"code":"` + code + `"}}`
	}
	for _, tt := range []struct {
		name   string
		status int
		code   string
		told   string // to the payment
		moves  bool
		last   outcome // if nobody else is left
	}{
		{"payment required", 402, CodePaymentRequired, CodePaymentRequired, true, outcome{status: 429, text: "the provider of this model wants to be paid, and nothing was paid; ask for a model that costs nothing, or buy tokens from a provider of this one"}},
		{"payment refused", 402, CodePaymentRefused, CodePaymentRefused, true, outcome{status: 429, text: "say"}},
		{"not covered", 429, CodeQuota, CodeQuota, true, outcome{status: 429, text: "say"}},
		{"402 of another code", 402, "what", CodePaymentRequired, true, outcome{status: 429, text: "the provider of this model wants to be paid, and nothing was paid; ask for a model that costs nothing, or buy tokens from a provider of this one"}},
		{"too many requests", 429, "rate_limit_exceeded", "", false, outcome{status: 429, text: envelope("rate_limit_exceeded")}},
		{"bad request", 400, CodePaymentRequired, "", false, outcome{status: 400}},
		{"unavailable", 503, "busy", "", true, outcome{status: 503, text: "say"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				said := say(errorAnswer(tt.status, envelope(tt.code)))
				payer, r := &fakePayer{t: t}, newRouter("a", "b")
				got := askWith(t, payingClient(t, r, newDialer(t, said, say(streamAnswer(good))), payer), chat(t, streamChat))
				first := "a refused " + itoa(tt.status) + " " + tt.told
				ends, reports := []string{first, "b ok 0 "}, "a refused, b ok"
				if !tt.moves {
					ends, reports = []string{first}, "a refused"
				}
				if tt.moves != (got == outcome{status: 200, text: good}) || !slices.Equal(payer.ends(), ends) || r.reported() != reports {
					t.Errorf("answer %+v, payments %q, reports %q; want %q and %q", got, payer.ends(), r.reported(), ends, reports)
				}
				payer = &fakePayer{t: t}
				got = askWith(t, payingClient(t, newRouter("a"), newDialer(t, said), payer), chat(t, streamChat))
				if got.status != tt.last.status || tt.last.text != "" && got.text != tt.last.text {
					t.Errorf("with nobody else: %+v, want %+v", got, tt.last)
				}
			})
		})
	}
}

// A provider that says that the payment does not cover the request is asked once
// more, if there is nobody else and its payer can pay more.
func TestPayMore(t *testing.T) {
	const envelope = `{"error":{"message":"say","type":"insufficient_quota","param":null,"code":"insufficient_quota"}}`
	said := say(errorAnswer(429, envelope))
	for _, tt := range []struct {
		name   string
		second peer
		want   outcome
		end    string
	}{
		{"covered then", say(streamAnswer(good)), outcome{status: 200, text: good}, "a ok 0 "},
		{"not then either", said, outcome{status: 429, text: "say"}, "a refused 429 insufficient_quota"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				payer := &fakePayer{t: t, more: true}
				got := askWith(t, payingClient(t, newRouter("a"), newDialer(t, said, tt.second), payer), chat(t, streamChat))
				ends := payer.ends()
				if want := []string{"a refused 429 insufficient_quota", tt.end}; got != tt.want || !slices.Equal(ends, want) {
					t.Errorf("answer %+v, payments %q; want %+v, %q", got, ends, tt.want, want)
				}
			})
		})
	}
}

// An attempt that fails and the one in its place have a payment each, which ends
// once, wherever the first one failed.
func TestPaymentsOfARetry(t *testing.T) {
	for _, f := range failures {
		if f.name == "dial fails" || f.name == "refused unread" {
			continue // there was no stream to pay for, or it is one row below
		}
		t.Run(f.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				payer := &fakePayer{t: t}
				c := payingClient(t, newRouter("a", "b"), newDialer(t, f.peer, say(streamAnswer(good))), payer)
				req, whose := chat(t, streamChat), &purse{}
				req.Purse = whose
				if got, want := askWith(t, c, req), (outcome{status: 200, text: good}); got != want {
					t.Errorf("answer %+v, want %+v", got, want)
				}
				ends := payer.ends()
				if len(ends) != 2 || !strings.HasPrefix(ends[0], "a "+f.report+" ") || ends[1] != "b ok 0 " {
					t.Errorf("payments %q, want one that %s and one that is ok", ends, f.report)
				}
				if payer.payments[0].round == payer.payments[1].round || len(whose.spent) != 1 {
					t.Errorf("the two attempts share a payment, or were spent as %v", whose.spent)
				}
			})
		})
	}
	t.Run("a second one of another kind", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			payer := &fakePayer{t: t}
			c := payingClient(t, newRouter("a", "b"), newDialer(t, sayThenReset(streamHead), say(jsonAnswer("{}"))), payer)
			if got := askWith(t, c, chat(t, streamChat)); !got.cut {
				t.Errorf("answer %+v, want a cut", got)
			}
			if got, want := payer.ends(), []string{"a failed 0 ", "b cancelled 0 "}; !slices.Equal(got, want) {
				t.Errorf("payments %q, want %q", got, want)
			}
		})
	})
	t.Run("a free one after one that is paid", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			payer := &fakePayer{t: t, free: func(to Target) bool { return to.Name == "b" }}
			resp, err := payingClient(t, newRouter("a", "b"), newDialer(t, sayThenReset(streamHead), say(streamAnswer(good))), payer).
				Do(t.Context(), chat(t, streamChat))
			if err != nil {
				t.Fatal(err)
			}
			if text, err := io.ReadAll(resp.Body); string(text) != good || err != nil {
				t.Errorf("answer %q, %v", text, err)
			}
			if r, ok := resp.Settled(); ok {
				t.Errorf("a free answer has cost %+v", r)
			}
		})
	})
}

// An answer that is cut ends its payment as cut, with what was seen of it.
func TestPaymentOfACut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		payer := &fakePayer{t: t}
		c := payingClient(t, newRouter("a"), newDialer(t, sayThenReset(streamHead+chunks(good))), payer)
		if got := askWith(t, c, chat(t, streamChat)); !got.cut || got.text != good {
			t.Errorf("answer %+v, want %q and a cut", got, good)
		}
		if p := payer.only(); p.seen.String() != good || !slices.Equal(payer.ends(), []string{"a cut 0 "}) {
			t.Errorf("the payment saw %q and ended %q", p.seen.String(), payer.ends())
		}
	})
}

// Whoever leaves, in whatever phase, has the payment ended once, at once, as
// cancelled, and without a receipt; what it cost is told later.
func TestPaymentCancel(t *testing.T) {
	for _, p := range clientPhases {
		if p.name == "dial" {
			continue // nothing is paid before there is a stream
		}
		t.Run(p.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var later func(backend.Receipt)
				payer := &fakePayer{t: t, end: func(_ context.Context, e PaymentEnd) (backend.Receipt, bool) {
					later = e.Later
					return backend.Receipt{}, false
				}}
				d := newDialer(t, p.peer)
				d.max = p.max
				ctx, cancel := context.WithCancel(t.Context())
				req, whose := chat(t, streamChat), &purse{}
				req.Purse = whose
				if p.name == "mid-document" {
					req = chat(t, plainChat)
					req.Purse = whose
				}
				var started time.Time
				time.AfterFunc(5*time.Second, func() { started = time.Now(); cancel() })
				resp, err := payingClient(t, newRouter("a"), d, payer).Do(ctx, req)
				if err == nil {
					_, err = io.ReadAll(resp.Body)
					if r, ok := resp.Settled(); ok {
						t.Errorf("an answer that was cancelled has cost %+v", r)
					}
				}
				if !errors.Is(err, context.Canceled) || time.Since(started) != 0 {
					t.Errorf("%v after %v, want context.Canceled at once", err, time.Since(started))
				}
				if got := payer.ends(); len(got) != 1 || !strings.HasPrefix(got[0], "a cancelled ") || strings.Count(got[0], "cancelled") != 1 {
					t.Errorf("payments %q, want one that was cancelled once", got)
				}
				later(backend.Receipt{ID: "x", Cost: "3"})
				if len(whose.spent) != 1 {
					t.Errorf("the purse was told %v, want what it cost later", whose.spent)
				}
			})
		})
	}
	t.Run("opening", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			payer := &fakePayer{t: t, open: func(ctx context.Context, _ Target) error { <-ctx.Done(); return ctx.Err() }}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			r, d := newRouter("a"), newDialer(t, func(*memConn) {})
			if _, err := payingClient(t, r, d, payer).Do(ctx, chat(t, streamChat)); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("Do = %v, want the context's error", err)
			}
			if d.conns[0].sent() != "" || r.reported() != "a cancelled" {
				t.Errorf("%q was sent, reports %q", d.conns[0].sent(), r.reported())
			}
		})
	})
	t.Run("close", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			payer := &fakePayer{t: t}
			d := newDialer(t, func(conn *memConn) { takeRequest(conn); _, _ = io.WriteString(conn, streamHead); <-conn.Done() })
			resp, err := payingClient(t, newRouter("a"), d, payer).Do(t.Context(), chat(t, streamChat))
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
			_ = resp.Body.Close()
			if got, want := payer.ends(), []string{"a cancelled 0 "}; !slices.Equal(got, want) {
				t.Errorf("payments %q, want %q", got, want)
			}
		})
	})
}

// A payer that is slow holds up the end of an answer no longer than SettleLimit,
// and not at all if the person who asked leaves.
func TestSlowPayer(t *testing.T) {
	slow := func(ctx context.Context, _ PaymentEnd) (backend.Receipt, bool) {
		<-ctx.Done()
		return backend.Receipt{}, false
	}
	for _, leave := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			payer := &fakePayer{t: t, end: slow}
			resp, err := payingClient(t, newRouter("a"), newDialer(t, say(streamAnswer(good))), payer).Do(t.Context(), chat(t, streamChat))
			if err != nil {
				t.Fatal(err)
			}
			started, want := time.Now(), SettleLimit
			if leave {
				want = SettleLimit / 4
				time.AfterFunc(want, func() { _ = resp.Body.Close() })
			}
			text, err := io.ReadAll(resp.Body)
			if string(text) != good || err != nil || time.Since(started) != want {
				t.Errorf("answer %q, %v after %v, want it whole after %v", text, err, time.Since(started), want)
			}
			if _, ok := resp.Settled(); ok {
				t.Error("the cost is known")
			}
			if got := payer.ends(); !slices.Equal(got, []string{"a ok 0 "}) {
				t.Errorf("payments %q, want one that is ok", got)
			}
		})
	}
}

// Nobody is paid where there is no Payer, and nothing of a request says so.
func TestNobodyIsPaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDialer(t, say(streamAnswer(good)))
		whose := &purse{refuse: errors.New("not to be asked")}
		req := chat(t, streamChat)
		req.Purse = whose
		resp, err := newTestClient(t, newRouter("a"), d).Do(t.Context(), req)
		if err != nil || resp.Settled != nil {
			t.Fatalf("%+v, %v", resp, err)
		}
		defer resp.Body.Close()
		if sent := d.conns[0].sent(); strings.Contains(strings.ToLower(sent), "round") || whose.asked != 0 {
			t.Errorf("%q was sent, the purse was asked %d times", sent, whose.asked)
		}
	})
}

func askWith(t *testing.T, c *Client, req *backend.Request) outcome {
	t.Helper()
	resp, err := c.Do(t.Context(), req)
	if e, ok := errors.AsType[*openai.Error](err); ok {
		return outcome{status: e.Status, text: e.Message}
	}
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if resp.Status != http.StatusOK {
		return outcome{status: resp.Status, text: strings.TrimSpace(string(text))}
	}
	return outcome{status: resp.Status, text: string(text), cut: err != nil}
}
