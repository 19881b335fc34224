//go:build e2e

package e2e

import (
	"bufio"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/culvert-net/culvert/api/backend/backendtest"
)

// A thousand requests whose prompts, answers, API keys and headers are marked;
// some fail in every way. None of it is in a log at debug level, in what status
// pages and metrics say, in a file of any program, or in the memory of a relay. What only
// identifies the client does not reach the model server.
func TestNothingIsKept(t *testing.T) {
	t.Parallel()
	const requests, clients = 1000, 8
	prompt, identity := newFinder(rand.Text()[:24]), newFinder(rand.Text()[:24])
	var asked atomic.Int64
	u := upstream(t, func(rw http.ResponseWriter, r *http.Request, c *backendtest.Call) {
		switch asked.Add(1) % 20 {
		case 3:
			panic(http.ErrAbortHandler)
		case 7: // a server that repeats what it was sent
			backendtest.Status(http.StatusInternalServerError, "application/json", `{"error":{"message":"cannot answer `+prompt.word+`"}}`)(rw, r, c)
		case 11:
			backendtest.CutAfter(`data: {"choices":[{"index":0,"delta":{"content":"`+prompt.word+`"}}]}`+"\n\n", "data: {")(rw, r, c)
		case 15:
			backendtest.Status(http.StatusOK, "text/html", "<p>"+prompt.word)(rw, r, c)
		default:
			echo(rw, r, c)
		}
	})
	dir := filepath.Join(t.TempDir(), "d")
	w := start(t, "--backend", u.URL, "--dir", dir)

	if err := atOnce(clients, requests, func(i int) error {
		ctx, leave := context.WithCancel(t.Context())
		defer leave()
		body := fmt.Sprintf(`{"model":"m","user":"%s","stream":%t,"messages":[{"role":"user","content":"%s%04d"}]}`, identity.word, i%2 == 0, prompt.word, i)
		if i%10 == 5 {
			body = body[:len(body)-2] // what cannot be read must not be quoted
		}
		if i%10 == 8 {
			body = strings.Replace(body, `"m"`, `"m`+prompt.word+`"`, 1)
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.BaseURL+"/chat/completions", strings.NewReader(body))
		if err != nil {
			return err
		}
		for _, name := range []string{"User-Agent", "Cookie", "OpenAI-Organization", "X-Stainless-Lang", "X-Forwarded-For", "Traceparent", "Idempotency-Key"} {
			req.Header.Set(name, identity.word)
		}
		req.Header.Set("Authorization", "Bearer "+identity.word)
		req.Header.Set("Content-Type", "application/json")
		resp, err := w.client().Do(req)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if i%10 != 9 {
			_, _ = io.Copy(io.Discard, resp.Body) // some are cut, as they should be
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}

	for _, c := range u.Calls() {
		for name, values := range c.Header {
			if word, dress := identity.find([]byte(name + ": " + strings.Join(values, ","))); word != "" {
				t.Fatalf("header %s reached the model server with the client's mark as %s", name, dress)
			}
		}
		if word, _ := identity.find(c.Body); word != "" {
			t.Fatal("the field user reached the model server")
		}
	}
	clean := func(where string, text []byte) {
		t.Helper()
		for what, f := range map[string]*finder{"a prompt": prompt, "a key or header": identity} {
			if word, dress := f.find(text); word != "" {
				t.Errorf("%s holds %s as %s", where, what, dress)
			}
		}
	}
	status, err := http.Get(w.StatusURL + "/status")
	if err != nil {
		t.Fatal(err)
	}
	defer status.Body.Close()
	text, err := io.ReadAll(status.Body)
	if err != nil {
		t.Fatal(err)
	}
	clean("the bridge's status page", text)
	clean("the sandbox's output", []byte(w.out.String()))
	for name := range w.PIDs {
		page := w.page(t, name)
		clean(name+"'s metrics", []byte(page))
		figuresOf(t, name, page)
	}
	files := func(when string) {
		t.Helper()
		seen := 0
		if err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() {
				return err
			}
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			seen++
			clean(fmt.Sprintf("%s, %s,", strings.TrimPrefix(path, dir), when), text)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if seen < 3*len(w.PIDs) {
			t.Errorf("%d files seen; logs, keys and worlds of %d nodes are more", seen, len(w.PIDs))
		}
	}
	files("while they run")
	t.Run("memory", func(t *testing.T) {
		if runtime.GOOS != "linux" {
			t.Skip("SKIP memory: reading another process's memory is done for Linux only")
		}
		// The bridge holds prompts, and must: it shows that they can be found.
		found := false
		memory(t, w.PIDs["bridge"], func(region []byte) {
			word, _ := prompt.plain(region)
			found = found || word != ""
		})
		if !found {
			t.Error("the bridge's memory shows no prompt, so a relay's would not either")
		}
		for name, pid := range w.PIDs {
			if strings.HasPrefix(name, "relay-") {
				memory(t, pid, func(region []byte) { clean(name+"'s memory", region) })
			}
		}
	})
	w.interrupt()
	<-w.done
	files("after they ended")
}

// memory calls look with everything a process could write to.
func memory(t *testing.T, pid int, look func(region []byte)) {
	t.Helper()
	maps, err := os.Open(fmt.Sprintf("/proc/%d/maps", pid))
	if err != nil {
		t.Skipf("SKIP memory: the programs allow nobody but root to look into them: %v", err)
	}
	defer maps.Close()
	mem, err := os.Open(fmt.Sprintf("/proc/%d/mem", pid))
	if err != nil {
		t.Skipf("SKIP memory: the programs allow nobody but root to look into them: %v", err)
	}
	defer mem.Close()
	seen := 0
	for lines := bufio.NewScanner(maps); lines.Scan(); {
		var from, to uint64
		var mode string
		if _, err := fmt.Sscanf(lines.Text(), "%x-%x %s", &from, &to, &mode); err != nil || !strings.HasPrefix(mode, "rw") {
			continue
		}
		// A range that was reserved and never touched reads as zeros, a page at
		// a time is too slow, and one that went away meanwhile fails.
		const piece, overlap = 4 << 20, 4 << 10
		buf := make([]byte, piece)
		for at := from; at < to; at += piece - overlap {
			n, _ := mem.ReadAt(buf[:min(piece, to-at)], int64(at))
			seen += n
			look(buf[:n])
			if at+piece >= to {
				break
			}
		}
	}
	if seen < 1<<20 {
		t.Errorf("%d bytes of memory of process %d were read", seen, pid)
	}
}
