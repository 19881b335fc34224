//go:build e2e

package e2e

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	gpt "github.com/sashabaranov/go-openai"

	"github.com/culvert-net/culvert/api/backend/backendtest"
	"github.com/culvert-net/culvert/internal/app/bridge"
)

// A client library that knows nothing of us gets the same stream, chunk by
// chunk, as from the model server itself.
func TestStreamToLibrary(t *testing.T) {
	t.Parallel()
	u := upstream(t, backendtest.Stream(0, backendtest.Events(20)...))
	w := start(t, "--backend", u.URL)
	cfg := gpt.DefaultConfig("any")
	cfg.BaseURL = w.BaseURL
	cfg.HTTPClient = w.client()
	client := gpt.NewClientWithConfig(cfg)

	models, err := client.ListModels(t.Context())
	if err != nil || len(models.Models) != 1 || models.Models[0].ID != model {
		t.Fatalf("ListModels = %+v, %v; want %q alone", models, err, model)
	}
	request := gpt.ChatCompletionRequest{
		Model: model, Messages: []gpt.ChatCompletionMessage{{Role: "user", Content: "Hello"}},
	}
	stream, err := client.CreateChatCompletionStream(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	for i := range 20 {
		chunk, err := stream.Recv()
		if want := fmt.Sprintf("t%d ", i); err != nil || chunk.Choices[0].Delta.Content != want {
			t.Fatalf("chunk %d = %+v, %v; want %q", i, chunk, err, want)
		}
	}
	if _, err := stream.Recv(); !errors.Is(err, io.EOF) {
		t.Fatalf("end of the stream = %v, want io.EOF", err)
	}

	u.answer(backendtest.Answer(backendtest.Completion))
	whole, err := client.CreateChatCompletion(t.Context(), request)
	if err != nil || whole.Choices[0].Message.Content != "Hello" {
		t.Fatalf("CreateChatCompletion = %+v, %v; want Hello", whole, err)
	}
}

// The plain bytes of a stream are the upstream's, and each event comes when it
// is sent, not with the next.
func TestStreamToPlainHTTP(t *testing.T) {
	t.Parallel()
	gate := make(chan struct{})
	first, rest := backendtest.Chunk(0), backendtest.Events(3)
	u := upstream(t, func(rw http.ResponseWriter, r *http.Request, c *backendtest.Call) {
		backendtest.Stream(0, first)(rw, r, c)
		backendtest.Gated(gate, func(rw http.ResponseWriter, _ *http.Request, _ *backendtest.Call) {
			_, _ = io.WriteString(rw, strings.Join(rest, ""))
		})(rw, r, c)
	})
	w := start(t, "--backend", u.URL)
	resp, err := w.post(t.Context(), chatBody(true))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	begun := make([]byte, len(first))
	if _, err := io.ReadFull(resp.Body, begun); err != nil || string(begun) != first {
		t.Fatalf("first event = %q, %v; want %q before the upstream goes on", begun, err, first)
	}
	close(gate)
	got, err := io.ReadAll(resp.Body)
	if want := strings.Join(rest, ""); err != nil || string(got) != want {
		t.Fatalf("rest = %q, %v; want %q", got, err, want)
	}
}

// A request crosses three processes, each of which is another node.
func TestThreeHops(t *testing.T) {
	t.Parallel()
	gate := make(chan struct{})
	u := upstream(t, backendtest.Gated(gate, backendtest.Answer(backendtest.Completion)))
	w := start(t, "--backend", u.URL)
	answer := w.asking(chatBody(false))
	u.nextChat(t, patience)
	hops := w.busyIn(w.told)
	close(gate)
	r := <-answer
	r.completed(t)

	if len(hops) != 3 || !strings.HasPrefix(hops[0], "relay-") || !strings.HasPrefix(hops[1], "relay-") || hops[2] != "provider-1" {
		t.Fatalf("hops = %v, want two relays and provider-1", hops)
	}
	pids := map[int]bool{w.PIDs["bridge"]: true}
	for _, h := range hops {
		pids[w.PIDs[h]] = true
		if !alive(w.PIDs[h]) {
			t.Errorf("%s (pid %d) is not a running process", h, w.PIDs[h])
		}
	}
	if len(pids) != 4 {
		t.Errorf("bridge and hops are %d processes, want 4", len(pids))
	}
	if r.header.Get("X-Culvert-Provider") != "provider-1" || r.header.Get("X-Culvert-Circuit") == "" {
		t.Errorf("headers = %v, want the provider's name and a circuit", r.header)
	}
}

// What the model server gets is what the client sent, bit by bit, whatever it
// is made of.
func TestBodiesUnchanged(t *testing.T) {
	t.Parallel()
	const bodies, clients = 10_000, 8
	u := upstream(t, func(rw http.ResponseWriter, r *http.Request, c *backendtest.Call) {
		c.Body = nil // the sum is enough, and all bodies together are 200 MB
		backendtest.Answer(backendtest.Completion)(rw, r, c)
	})
	w := start(t, "--backend", u.URL, "--isolation", "key")

	var mu sync.Mutex
	sent := make(map[[sha256.Size]byte]int)
	var wg sync.WaitGroup
	for c := range clients {
		wg.Go(func() {
			rnd := rand.New(rand.NewPCG(7, uint64(c)))
			for i := range bodies / clients {
				body := backendtest.RandomBody(rnd, model)
				mu.Lock()
				sent[sha256.Sum256(body)]++
				mu.Unlock()
				if r := w.ask(string(body)); r.err != nil || r.status != 200 || string(r.body) != backendtest.Completion {
					t.Errorf("body %d of client %d (seed 7): status %d, %.200q, %v", i, c, r.status, r.body, r.err)
					return
				}
			}
		})
	}
	wg.Wait()
	for _, call := range u.chats() {
		sent[call.Sum]--
	}
	for sum, n := range sent {
		if n != 0 {
			t.Errorf("body %x: sent %d times more than it arrived", sum[:4], n)
		}
	}
}

// A circuit is one user's and serves many requests at a time.
func TestParallelStreams(t *testing.T) {
	t.Parallel()
	const streams = 40
	u := upstream(t, backendtest.Stream(0, backendtest.Events(50)...))
	w := start(t, "--backend", u.URL)
	want := strings.Join(backendtest.Events(50), "")
	var wg sync.WaitGroup
	for i := range streams {
		wg.Go(func() {
			if r := w.ask(chatBody(true)); r.err != nil || string(r.body) != want {
				t.Errorf("stream %d: status %d, %d bytes, %v; want %d bytes", i, r.status, len(r.body), r.err, len(want))
			}
		})
	}
	wg.Wait()
}

// In a sandbox, and only there, a circuit may be shorter, or longer.
func TestOtherLengths(t *testing.T) {
	t.Parallel()
	u := upstream(t, backendtest.Answer(backendtest.Completion))
	for _, hops := range []int{1, 2, 5} {
		w := start(t, "--backend", u.URL, "--hops", strconv.Itoa(hops), "--relays", "4")
		w.ask(chatBody(false)).completed(t)
		open := slices.IndexFunc(w.status().Circuits, func(c bridge.Circuit) bool { return c.State == "open" })
		if got := w.status().Circuits[open].Hops; len(got) != hops {
			t.Errorf("hops = %v, want %d", got, hops)
		}
		w.interrupt()
		<-w.done
	}
}

// The same directory serves again: keys, names and the world are kept.
func TestDirectoryUsedAgain(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "d")
	var ids []string
	for range 2 {
		w := start(t, "--dir", dir, "--backend", "mock")
		resp := w.ask(strings.Replace(chatBody(true), `"m"`, `"culvert-demo"`, 1))
		resp.completed(t)
		if !strings.Contains(string(resp.body), "[DONE]") {
			t.Fatalf("answer = %.300q, want a whole stream", resp.body)
		}
		ids = append(ids, w.status().World.ID)
		w.interrupt()
		<-w.done
		if _, err := os.Stat(filepath.Join(dir, "world.toml")); err != nil {
			t.Fatalf("--dir was not kept: %v", err)
		}
	}
	if ids[0] != ids[1] {
		t.Errorf("world %s became %s", ids[0], ids[1])
	}
}
