package tunnel

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"

	"github.com/culvert-net/culvert/api/backend"
	"github.com/culvert-net/culvert/api/body"
)

// paddedChat is a chat request of exactly size bytes that no field rule touches.
func paddedChat(size int, stream bool) string {
	frame := fmt.Sprintf(`{"model":"m","stream":%v,"big":12345678901234567890,"unknown":{"b":1,"a":2},"messages":[{"role":"user","content":""}]}`, stream)
	at := strings.LastIndex(frame, `""`) + 1
	return frame[:at] + strings.Repeat("x", size-len(frame)) + frame[at:]
}

// The bytes at the backend are those the client sent, and those at the client
// are those the backend sent, at every size where something could be off.
func TestBytesAreExact(t *testing.T) {
	rnd := rand.NewChaCha8([32]byte{1})
	sizes := []int{200, 4096, smallRequest, smallRequest + 1, WriteAhead, 64 << 10, 1 << 20, body.MaxBody}
	for _, size := range sizes {
		for _, stream := range []bool{false, true} {
			if stream && size == body.MaxBody {
				continue // parsing 32 MiB takes seconds under the race detector; once is enough
			}
			t.Run(fmt.Sprintf("%d stream %v", size, stream), func(t *testing.T) {
				data := paddedChat(size, stream)
				answer := make([]byte, size)
				_, _ = rnd.Read(answer)
				media := backend.ContentJSON
				if stream {
					media = backend.ContentStream
				}
				var seen [32]byte
				var header http.Header
				srv := serveBackend(t, ServerConfig{Backend: backendFunc(
					func(_ context.Context, req *backend.Request) (*backend.Response, error) {
						seen, header = sha256.Sum256(req.Body), req.Header
						return &backend.Response{
							Status: 200, Header: http.Header{"Content-Type": {media}},
							Body: io.NopCloser(bytes.NewReader(answer)),
						}, nil
					})})
				c := newTestClient(t, newRouter("a"), dialServer{srv, max(10_000, size/100)})
				resp, err := c.Do(t.Context(), chat(t, data))
				if err != nil {
					t.Fatal(err)
				}
				defer resp.Body.Close()
				got, err := io.ReadAll(resp.Body)
				if err != nil || !bytes.Equal(got, answer) {
					t.Errorf("answer of %d bytes, %v, want the backend's %d", len(got), err, len(answer))
				}
				if seen != sha256.Sum256([]byte(data)) {
					t.Error("the backend saw other bytes than were sent")
				}
				for name := range header {
					switch name {
					case "Accept", "Content-Type", "Content-Length":
					default:
						t.Errorf("header %s reached the backend", name)
					}
				}
				if want := (http.Header{"Content-Type": {media}}); !equalHeader(resp.Header, want) {
					t.Errorf("header = %v, want %v", resp.Header, want)
				}
			})
		}
	}
}

// What one round costs besides the circuit and the backend.
func BenchmarkRound(b *testing.B) {
	srv := serveBackend(b, ServerConfig{Backend: backendFunc(
		func(ctx context.Context, req *backend.Request) (*backend.Response, error) {
			return answerWith(200, backend.ContentJSON, stringsReader(`{"choices":[]}`))(ctx, req)
		})})
	c := newTestClient(b, newRouter("a"), dialServer{srv, 1 << 16})
	req := chat(b, plainChat)
	b.ReportAllocs()
	for b.Loop() {
		resp, err := c.Do(b.Context(), req)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			b.Fatal(err)
		}
		_ = resp.Body.Close()
	}
}

// What one event of a stream costs.
func BenchmarkStream(b *testing.B) {
	event := "data: {\"id\":\"c\",\"choices\":[{\"delta\":{\"content\":\"" + strings.Repeat("x", 200) + "\"}}]}\n\n"
	events, source := io.Pipe()
	srv := serveBackend(b, ServerConfig{Backend: answerWith(200, backend.ContentStream, events)})
	c := newTestClient(b, newRouter("a"), dialServer{srv, 1 << 16})
	resp, err := c.Do(b.Context(), chat(b, streamChat))
	if err != nil {
		b.Fatal(err)
	}
	defer resp.Body.Close()
	buf := make([]byte, 4096)
	b.SetBytes(int64(len(event)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := io.WriteString(source, event); err != nil {
			b.Fatal(err)
		}
		if _, err := resp.Body.Read(buf); err != nil {
			b.Fatal(err)
		}
	}
	_ = source.Close()
}
