package tunnel

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/culvert-net/culvert/api/backend"
	"github.com/culvert-net/culvert/api/backend/backendtest"
	adapter "github.com/culvert-net/culvert/api/backend/openai"
	"github.com/culvert-net/culvert/api/body"
	"github.com/culvert-net/culvert/api/openai"
	"github.com/culvert-net/culvert/api/usage"
)

// seeing is a Backend that keeps what it was asked.
func seeing(asked *[]*backend.Request, b backendFunc) backendFunc {
	return func(ctx context.Context, req *backend.Request) (*backend.Response, error) {
		*asked = append(*asked, req)
		return b(ctx, req)
	}
}

// A biller decides on what left the other end; the backend gets the bound and is
// asked for its usage, and nothing of the payment.
func TestBill(t *testing.T) {
	for _, tt := range []struct {
		name, data, answer, media string
		limit                     int64
		body                      string // at the backend
		want                      usage.Snapshot
	}{
		{
			"stream", streamChat, paidText, backend.ContentStream, 100,
			streamChat[:len(streamChat)-1] + `,"max_tokens":100,"stream_options":{"include_usage":true}}`,
			usage.Snapshot{Input: 5, Cached: 4, Output: 2, Told: true, Text: usage.Delivered{Content: 6}},
		},
		{
			"document", plainChat, `{"choices":[{"message":{"content":"abcd"}}],"usage":{"prompt_tokens":3,"completion_tokens":9,"completion_tokens_details":{"reasoning_tokens":7}}}`,
			backend.ContentJSON, 0, plainChat,
			usage.Snapshot{Input: 3, Output: 2, Reasoning: 7, Told: true, Text: usage.Delivered{Content: 4}},
		},
		{
			"estimate", plainChat, `{"choices":[{"message":{"content":"abcde"}}]}`, backend.ContentJSON, 0, plainChat,
			usage.Snapshot{Input: int64(len(plainChat)) / 4, Output: 2, Text: usage.Delivered{Content: 5}},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var asked []*backend.Request
				biller, payer := newBiller(), &fakePayer{t: t}
				biller.limit = tt.limit
				srv := serveBackend(t, ServerConfig{Backend: seeing(&asked, answerWith(200, tt.media, strings.NewReader(tt.answer))), Biller: biller})
				if got := askWith(t, payingClient(t, newRouter("a"), dialServer{srv, 1 << 16}, payer), chat(t, tt.data)); got != (outcome{status: 200, text: tt.answer}) {
					t.Fatalf("answer %+v", got)
				}
				bill, p := <-biller.bills, payer.only()
				if bill.asked.Header != p.round || bill.body != p.body || bill.asked.Circuit != "c1" {
					t.Errorf("admitted %+v with %q, want %q with %q", bill.asked, bill.body, p.round, p.body)
				}
				if got := string(asked[0].Body); got != tt.body {
					t.Errorf("the backend was asked %s, want %s", got, tt.body)
				}
				if h := asked[0].Header; len(h) != 3 { // two and the length
					t.Errorf("the backend got the header %v", h)
				}
				if bill.passed.String() != tt.answer || p.seen.String() != tt.answer {
					t.Errorf("passed %q, seen %q, want %q", bill.passed.String(), p.seen.String(), tt.answer)
				}
				if e := bill.end; !e.Complete || e.Gone || e.Status != 200 || e.Usage != tt.want || bill.ends != 1 {
					t.Errorf("ended %d times, %+v, want a complete one with %+v", bill.ends, e, tt.want)
				}
				if p.ended[0].Usage != tt.want {
					t.Errorf("the payer counted %+v, want %+v", p.ended[0].Usage, tt.want)
				}
			})
		})
	}
}

// What costs nothing is not touched, with and without a payment that came.
func TestFreeIsFree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, biller := range []Biller{nil, &fakeBiller{free: true}} {
			for _, payer := range []Payer{nil, &fakePayer{t: t}} {
				var asked []*backend.Request
				srv := serveBackend(t, ServerConfig{Backend: seeing(&asked, answerWith(200, backend.ContentStream, strings.NewReader(paidText))), Biller: biller})
				if got := askWith(t, payingClient(t, newRouter("a"), dialServer{srv, 1 << 16}, payer), chat(t, streamChat)); got.text != paidText {
					t.Errorf("answer %+v", got)
				}
				if string(asked[0].Body) != streamChat {
					t.Errorf("the backend was asked %s, want it as it was sent", asked[0].Body)
				}
			}
		}
	})
}

// However an answer is cut into pieces on the way, both ends see the same bytes
// and count the same.
func TestBothEndsSeeTheSame(t *testing.T) {
	const rounds = 300
	for seed := range uint64(rounds) {
		rnd := rand.New(rand.NewPCG(seed, 7))
		synctest.Test(t, func(t *testing.T) {
			text, media, data := randomAnswer(rnd)
			biller, payer := newBiller(), &fakePayer{t: t}
			stop := -1 // the piece that is not passed; none
			if rnd.IntN(3) == 0 {
				stop = rnd.IntN(6)
			}
			biller.pass = func(context.Context, *fakeBill, []byte) *openai.Error {
				if stop--; stop == -1 {
					return openai.Upstream(502, "stop", "stop")
				}
				return nil
			}
			chunky := io.Reader(&pieces{rnd: rand.New(rand.NewPCG(seed, 8)), text: text, most: 1 + rnd.IntN(200)})
			srv := serveBackend(t, ServerConfig{Backend: answerWith(200, media, chunky), Biller: biller})
			c := payingClient(t, newRouter("a"), dialServer{srv, 1 + rnd.IntN(5000)}, payer)
			resp, err := c.Do(t.Context(), chat(t, data))
			if err != nil {
				if media == backend.ContentStream || stop != -1 {
					t.Fatalf("seed %d: %v", seed, err)
				}
				return // a document that was stopped has a status
			}
			got, err := io.ReadAll(&pieces{rnd: rnd, from: resp.Body, most: 1 + rnd.IntN(300)})
			_ = resp.Body.Close()
			bill, p := <-biller.bills, payer.only()
			if !bytes.Equal(bill.passed.Bytes(), p.seen.Bytes()) || !bytes.Equal(got, p.seen.Bytes()) {
				t.Fatalf("seed %d: passed\n%q, seen\n%q, read\n%q", seed, bill.passed.String(), p.seen.String(), got)
			}
			if p.ended[0].Usage != bill.end.Usage {
				t.Errorf("seed %d: the payer counted %+v, the biller %+v", seed, p.ended[0].Usage, bill.end.Usage)
			}
			if whole := err == nil; whole != bill.end.Complete || whole != (p.ended[0].Outcome == OutcomeOK) || whole != (bill.end.Frame == nil) {
				t.Errorf("seed %d: %v, bill %+v, payment %+v", seed, err, bill.end, p.ended[0])
			}
		})
	}
}

// randomAnswer is a stream or a document, with and without usage.
func randomAnswer(rnd *rand.Rand) (text []byte, media, data string) {
	words := []string{"a", "é", `\u00e9`, `\ud83d\ude00`, `\"`, "data:", "usage", `\n`, strings.Repeat("x", 70)}
	said := func() string {
		var b strings.Builder
		for range rnd.IntN(30) {
			b.WriteString(words[rnd.IntN(len(words))])
		}
		return b.String()
	}
	told := ""
	if rnd.IntN(2) == 0 {
		told = `,"usage":{"prompt_tokens":12,"completion_tokens":` + itoa(rnd.IntN(50)) + `,"completion_tokens_details":{"reasoning_tokens":3}}`
	}
	if rnd.IntN(3) == 0 {
		return []byte(`{"choices":[{"message":{"content":"` + said() + `","reasoning":"` + said() + `"}}]` + told + `}`), backend.ContentJSON, plainChat
	}
	var b strings.Builder
	for range rnd.IntN(40) + 1 {
		b.WriteString(`data: {"choices":[{"delta":{"content":"` + said() + `","tool_calls":[{"function":{"arguments":"` + said() + `"}}]}}]}` + "\n\n")
	}
	b.WriteString(`data: {"choices":[]` + told + "}\n\ndata: [DONE]\n\n")
	return []byte(b.String()), backend.ContentStream, streamChat
}

// pieces reads text, or what is read from from, in pieces of at most most bytes.
type pieces struct {
	rnd  *rand.Rand
	text []byte
	from io.Reader
	most int
}

func (r *pieces) Read(p []byte) (int, error) {
	p = p[:min(len(p), 1+r.rnd.IntN(r.most))]
	if r.from != nil {
		return r.from.Read(p)
	}
	if len(r.text) == 0 {
		return 0, io.EOF
	}
	n := copy(p, r.text)
	r.text = r.text[n:]
	return n, nil
}

// Who is not admitted is answered by the biller; the backend is not asked, and
// nothing is billed.
func TestNotAdmitted(t *testing.T) {
	for _, tt := range []struct {
		e    *openai.Error
		want string
	}{
		{&openai.Error{Status: 402, Type: openai.CodeQuota, Code: CodePaymentRequired, Message: "pay"}, "a refused 402 payment_required"},
		{&openai.Error{Status: 429, Type: openai.CodeQuota, Code: CodeQuota, Message: "not covered", RetryAfter: time.Second}, "a refused 429 insufficient_quota"},
		{openai.Unavailable("busy", "the store is slow", time.Second), "a refused 503 "},
	} {
		synctest.Test(t, func(t *testing.T) {
			biller, payer := newBiller(), &fakePayer{t: t}
			biller.admit = func(context.Context, Admission) *openai.Error { return tt.e }
			var asked []*backend.Request
			ended := make(chan usage.Ended, 1)
			srv := serveBackend(t, ServerConfig{
				Backend: seeing(&asked, answerWith(200, backend.ContentStream, strings.NewReader(paidText))), Biller: biller,
				Ended: func(e usage.Ended) { ended <- e },
			})
			got := askWith(t, payingClient(t, newRouter("a"), dialServer{srv, 1 << 16}, payer), chat(t, streamChat))
			if got.status == 200 || len(asked) != 0 || len(biller.bills) != 0 {
				t.Errorf("answer %+v, the backend was asked %d times, %d bills ended", got, len(asked), len(biller.bills))
			}
			if ends := payer.ends(); ends[0] != tt.want {
				t.Errorf("payments %q, want %q", ends, tt.want)
			}
			if e := <-ended; e.Status != tt.e.Status {
				t.Errorf("counted as %d, want %d", e.Status, tt.e.Status)
			}
		})
	}
}

// A biller may hold a piece back, and then end the answer: a stream with a frame
// that says why, which both ends count as part of it, a document with a status.
func TestBillPausesAndEnds(t *testing.T) {
	unpaid := &openai.Error{Status: 429, Type: openai.CodeQuota, Code: CodeQuota, Message: "the deposit is used up"}
	for _, half := range []bool{false, true} { // an event is
		synctest.Test(t, func(t *testing.T) {
			first := good + good
			if half {
				first = good[:len(good)-5]
			}
			from, source := io.Pipe()
			go func() {
				for _, s := range []string{first, good, good} {
					if _, err := io.WriteString(source, s); err != nil {
						return
					}
				}
			}()
			biller, payer := newBiller(), &fakePayer{t: t}
			n := 0
			biller.pass = func(ctx context.Context, _ *fakeBill, _ []byte) *openai.Error {
				switch n++; n {
				case 1:
					return nil
				case 2:
					select {
					case <-time.After(2 * time.Second):
						return nil
					case <-ctx.Done():
						return unpaid
					}
				}
				return unpaid
			}
			srv := serveBackend(t, ServerConfig{Backend: answerWith(200, backend.ContentStream, from), Biller: biller})
			resp, err := payingClient(t, newRouter("a"), dialServer{srv, 1 << 16}, payer).Do(t.Context(), chat(t, streamChat))
			if err != nil {
				t.Fatal(err)
			}
			started := time.Now()
			text, err := io.ReadAll(resp.Body)
			_, isCut := errors.AsType[*CutError](err)
			want := first + good + "\ndata: " + string(unpaid.JSON()) + "\n\n"
			if string(text) != want || !isCut || time.Since(started) != 2*time.Second {
				t.Errorf("answer %q, %v after %v; want %q and a cut after the pause", text, err, time.Since(started), want)
			}
			bill, p := <-biller.bills, payer.only()
			if bill.end.Complete || bill.end.Status != 429 || !strings.HasSuffix(want, string(bill.end.Frame)) || len(bill.end.Frame) == 0 {
				t.Errorf("bill ended %+v", bill.end)
			}
			if bill.passed.String() != want || p.seen.String() != want {
				t.Errorf("passed %q, seen %q, want %q", bill.passed.String(), p.seen.String(), want)
			}
			if got := payer.ends(); got[0] != "a cut 0 " {
				t.Errorf("payments %q", got)
			}
			_ = from.Close()
		})
	}
	synctest.Test(t, func(t *testing.T) {
		biller, payer := newBiller(), &fakePayer{t: t}
		biller.pass = func(context.Context, *fakeBill, []byte) *openai.Error { return unpaid }
		long := `{"choices":[{"message":{"content":"` + strings.Repeat("x", 100_000) + `"}}]}`
		srv := serveBackend(t, ServerConfig{Backend: answerWith(200, backend.ContentJSON, strings.NewReader(long)), Biller: biller})
		got := askWith(t, payingClient(t, newRouter("a"), dialServer{srv, 1 << 16}, payer), chat(t, plainChat))
		if got != (outcome{status: 429, text: unpaid.Message}) {
			t.Errorf("answer %+v, want the biller's error", got)
		}
		if bill := <-biller.bills; bill.end.Complete || bill.end.Status != 429 || bill.end.Usage != (usage.Snapshot{}) || bill.passed.Len() != 0 {
			t.Errorf("bill ended %+v, with %d bytes passed", bill.end, bill.passed.Len())
		}
	})
}

// A client that leaves ends the bill as gone, wherever it waits, once.
func TestBillOfAClientThatLeft(t *testing.T) {
	hang := func(ctx context.Context) { <-ctx.Done() }
	for _, tt := range []struct {
		name    string
		biller  func(b *fakeBiller)
		backend backendFunc
		sent    string // before it leaves
		bills   int
	}{
		{"admitting", func(b *fakeBiller) {
			b.admit = func(ctx context.Context, _ Admission) *openai.Error {
				hang(ctx)
				return openai.Unavailable("late", "late", 0)
			}
		}, answerWith(200, backend.ContentStream, strings.NewReader(good)), "", 0},
		{"waiting", func(*fakeBiller) {}, func(ctx context.Context, _ *backend.Request) (*backend.Response, error) {
			hang(ctx)
			return nil, ctx.Err()
		}, "", 1},
		{"mid-stream", func(*fakeBiller) {}, func(ctx context.Context, _ *backend.Request) (*backend.Response, error) {
			return answerWith(200, backend.ContentStream, io.MultiReader(strings.NewReader(good), blocked{ctx}))(ctx, nil)
		}, good, 1},
		{"paused", func(b *fakeBiller) {
			b.pass = func(ctx context.Context, _ *fakeBill, _ []byte) *openai.Error {
				hang(ctx)
				return openai.Unavailable("late", "late", 0)
			}
		}, answerWith(200, backend.ContentStream, strings.NewReader(good)), "", 1},
		{"mid-document", func(*fakeBiller) {}, func(ctx context.Context, _ *backend.Request) (*backend.Response, error) {
			return answerWith(200, backend.ContentJSON, io.MultiReader(strings.NewReader("{"), blocked{ctx}))(ctx, nil)
		}, "", 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				biller := newBiller()
				tt.biller(biller)
				srv := serveBackend(t, ServerConfig{Backend: tt.backend, Biller: biller})
				client, _ := srv.open(1 << 16)
				data := streamChat
				if tt.name == "mid-document" {
					data = plainChat
				}
				_, _ = io.WriteString(client, addField(rawRequest(data), "X-Culvert-Round: abc"))
				_ = client.CloseWrite()
				time.Sleep(time.Second)
				_ = client.Reset()
				synctest.Wait()
				if len(biller.bills) != tt.bills {
					t.Fatalf("%d bills ended, want %d", len(biller.bills), tt.bills)
				}
				if tt.bills == 0 {
					return
				}
				b := <-biller.bills
				if read := usage.Prompt([]byte(data)); b.end.Usage.Input != read {
					t.Errorf("%d tokens of the prompt are on the bill, want %d", b.end.Usage.Input, read)
				}
				if !b.end.Gone || b.end.Complete || b.end.Status != 499 || b.ends != 1 || b.passed.String() != tt.sent {
					t.Errorf("the bill ended %+v, with %q passed; want it gone with %q", b.end, b.passed.String(), tt.sent)
				}
			})
		})
	}
}

// blocked is a body that brings nothing until ctx ends.
type blocked struct{ ctx context.Context }

func (b blocked) Read([]byte) (int, error) { <-b.ctx.Done(); return 0, b.ctx.Err() }

// A backend that fails ends the bill with what became of the request.
func TestBillOfAFailure(t *testing.T) {
	for _, tt := range []struct {
		name    string
		backend backendFunc
		data    string
		status  int
		passed  string
	}{
		{"error status", answerWith(500, backend.ContentJSON, strings.NewReader(errorBody)), plainChat, 500, ""},
		{"nothing", answerWith(200, backend.ContentJSON, strings.NewReader("")), plainChat, 502, ""},
		{"a page", answerWith(200, "text/html", strings.NewReader("<p>")), plainChat, 502, ""},
		{"cut stream", answerWith(200, backend.ContentStream, cutAfter(good)), streamChat, 502, good},
		{"cut document", answerWith(200, backend.ContentJSON, cutAfter("{")), plainChat, 502, ""},
		{"document without end", answerWith(200, backend.ContentJSON, io.LimitReader(zeros{}, MaxAnswer+1)), plainChat, 502, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				biller := newBiller()
				srv := serveBackend(t, ServerConfig{Backend: tt.backend, Biller: biller})
				client, _ := srv.open(1 << 16)
				_, _ = io.WriteString(client, addField(rawRequest(tt.data), "X-Culvert-Round: abc"))
				_ = client.CloseWrite()
				_, _ = io.Copy(io.Discard, client)
				if b := <-biller.bills; b.end.Complete || b.end.Gone || b.end.Status != tt.status || b.passed.String() != tt.passed || b.ends != 1 {
					t.Errorf("the bill ended %+v with %q passed, want %d and %q", b.end, b.passed.String(), tt.status, tt.passed)
				}
			})
		})
	}
	// Memory for documents that are held whole is bounded like that for bodies.
	synctest.Test(t, func(t *testing.T) {
		biller := newBiller()
		long := io.LimitReader(zeros{}, 1<<20)
		srv := serveBackend(t, ServerConfig{Backend: answerWith(200, backend.ContentJSON, long), Biller: biller, Budget: body.NewBudget(128 << 10)})
		client, _ := srv.open(1 << 16)
		_, _ = io.WriteString(client, rawRequest(plainChat))
		_ = client.CloseWrite()
		raw, _ := io.ReadAll(client)
		if b := <-biller.bills; b.end.Status != 503 || !strings.HasPrefix(string(raw), "HTTP/1.1 503 ") {
			t.Errorf("the bill ended %+v, answer %.80q, want 503", b.end, raw)
		}
	})
}

// A shutdown that cancels what runs ends its bills before Run returns.
func TestShutdownEndsBills(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		biller := newBiller()
		srv := serveBackend(t, ServerConfig{Drain: time.Minute, Biller: biller, Backend: backendFunc(
			func(ctx context.Context, _ *backend.Request) (*backend.Response, error) {
				return answerWith(200, backend.ContentStream, io.MultiReader(strings.NewReader(good), blocked{ctx}))(ctx, nil)
			})})
		client, _ := srv.open(1 << 16)
		_, _ = io.WriteString(client, rawRequest(streamChat))
		_ = client.CloseWrite()
		synctest.Wait()
		if err := srv.stop(); err != nil {
			t.Fatal(err)
		}
		if len(biller.bills) != 1 {
			t.Fatalf("%d bills had ended when Run returned, want 1", len(biller.bills))
		}
		if b := <-biller.bills; b.end.Complete || b.passed.String() != good {
			t.Errorf("the bill ended %+v with %q passed", b.end, b.passed.String())
		}
	})
}

// A backend that takes no notice of the bound is ended beyond it.
func TestBoundIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		biller, payer := newBiller(), &fakePayer{t: t}
		biller.limit = 100
		event := `data: {"choices":[{"delta":{"content":"` + strings.Repeat("x", 50) + `"}}]}` + "\n\n"
		endless := io.MultiReader(strings.NewReader(event), &repeated{text: event})
		srv := serveBackend(t, ServerConfig{Backend: answerWith(200, backend.ContentStream, endless), Biller: biller})
		resp, err := payingClient(t, newRouter("a"), dialServer{srv, 1 << 16}, payer).Do(t.Context(), chat(t, streamChat))
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(resp.Body)
		if _, isCut := errors.AsType[*CutError](err); !isCut || !strings.Contains(string(text), "output_limit") {
			t.Errorf("the answer ended %.200q, %v; want a frame that says why", text[max(0, len(text)-200):], err)
		}
		b := <-biller.bills
		if most := int64(100*maxBytesPerToken + streamBuffer); b.end.Usage.Text.Content > most || b.end.Usage.Text.Content < 100*maxBytesPerToken/2 || b.end.Complete {
			t.Errorf("%d bytes were passed, want at most %d: %+v", b.end.Usage.Text.Content, most, b.end)
		}
		_ = resp.Body.Close()
	})
}

// repeated is text over and over.
type repeated struct {
	text string
	at   int
}

func (r *repeated) Read(p []byte) (int, error) {
	n := copy(p, r.text[r.at:])
	r.at = (r.at + n) % len(r.text)
	return n, nil
}

// The whole way with a payer at one end, and a biller at the other to whom this
// costs nothing, is a Backend like any other.
func TestPaidConformance(t *testing.T) {
	backendtest.Run(t, func(t *testing.T, up *backendtest.Upstream) backend.Backend {
		a, err := adapter.New(adapter.Config{BaseURL: up.URL})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = a.Close() })
		srv := serveBackend(t, ServerConfig{Backend: a, Biller: &fakeBiller{free: true}})
		return payingClient(t, asked{newRouter("a"), t, a}, dialServer{srv, 1 << 16}, &fakePayer{t: t})
	})
}
