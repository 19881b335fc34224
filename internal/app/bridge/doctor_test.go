package bridge

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/doctor"
	"github.com/culvert-net/culvert/internal/app/member"
	"github.com/culvert-net/culvert/internal/app/node"
	"github.com/culvert-net/culvert/mesh"
	"github.com/culvert-net/culvert/mesh/world"
)

// has fails unless the first finding is of that level and says want.
func has(t *testing.T, found []doctor.Finding, level doctor.Level, want string) {
	t.Helper()
	if len(found) == 0 {
		t.Errorf("nothing found, want %s %q", level, want)
		return
	}
	f := found[0]
	if text := f.Found + " -> " + f.Do; f.Level != level || !strings.Contains(text, want) {
		t.Errorf("found %s %q, want %s with %q", f.Level, text, level, want)
	}
	if (level == doctor.Warning || level == doctor.Problem) && f.Do == "" {
		t.Errorf("%s %q does not say what to do", f.Level, f.Found)
	}
}

// answering is a server that answers everything the same way.
func answering(t *testing.T, status int, kind, text string) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind)
		w.WriteHeader(status)
		fmt.Fprint(w, text)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// nobody is an address where nothing listens.
func nobody(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return "http://" + l.Addr().String()
}

const (
	models  = `{"object":"list","data":[{"id":"m"}]}`
	stream  = "data: {\"choices\":[]}\n\ndata: [DONE]\n\n"
	problem = `{"error":{"message":"canary","code":"no_provider"}}`
)

// What the API answers, and what becomes of it; the words of an error are not
// repeated, they may be a provider's.
func TestDoctorAPI(t *testing.T) {
	for _, tt := range []struct {
		name, url, check string
		level            doctor.Level
		want             string
	}{
		{"lists", answering(t, 200, "application/json", models), "API", doctor.OK, "1 model"},
		{"lists nothing", answering(t, 200, "application/json", `{"data":[]}`), "API", doctor.Warning, "no models"},
		{"lists nonsense", answering(t, 200, "application/json", `<html>`), "API", doctor.Problem, "not a list of models"},
		{"is away", nobody(t), "API", doctor.Problem, "no answer"},
		{"wants a key", answering(t, 401, "application/json", problem), "API", doctor.Warning, "wants a key"},
		{"fails", answering(t, 503, "application/json", problem), "API", doctor.Problem, "status 503 (no_provider)"},
		{"odd code", answering(t, 503, "application/json", `{"error":{"code":"Canary said"}}`), "API", doctor.Problem, "status 503 after"},
		{"chats", answering(t, 200, "text/event-stream", stream), "request", doctor.OK, "a chat with m: 200, first byte after"},
		{"is cut", answering(t, 200, "text/event-stream", "data: {}\n\n"), "request", doctor.Problem, "the answer was cut"},
		{"knows no such model", answering(t, 404, "application/json", problem), "request", doctor.Problem, "Use a name that this lists"},
		{"has no provider", answering(t, 503, "application/json", problem), "request", doctor.Problem, "status 503 (no_provider)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := &patient{o: Options{Config: Defaults()}, Patient: doctor.Patient{Running: true}, ask: "m", status: Status{BaseURLs: []string{tt.url + "/v1"}}}
			found := p.api(t.Context())
			if tt.check == "request" {
				found = p.request(t.Context())
			}
			has(t, found, tt.level, tt.want)
			if text := fmt.Sprint(found); strings.Contains(strings.ToLower(text), "canary") {
				t.Errorf("%s repeats what was answered", text)
			}
		})
	}
	p := &patient{o: Options{Config: Defaults()}}
	has(t, p.api(t.Context()), doctor.Skipped, "does not run")
	if found := p.request(t.Context()); found != nil {
		t.Errorf("a request without --ask: %+v", found)
	}
	p.ask = "m"
	has(t, p.request(t.Context()), doctor.Problem, "--ask needs a running bridge")
}

func TestDoctorUpstream(t *testing.T) {
	for _, tt := range []struct {
		name, url string
		level     doctor.Level
		want      string
	}{
		{"fine", answering(t, 200, "application/json", models), doctor.OK, "lists 1 model"},
		{"empty", answering(t, 200, "application/json", `{"object":"list","data":[]}`), doctor.Warning, "lists no models"},
		{"away", nobody(t), doctor.Problem, "cannot be reached"},
		{"wants a key", answering(t, 401, "application/json", problem), doctor.Problem, "API key"},
		{"something else", answering(t, 404, "text/html", "canary"), doctor.Problem, "does not answer like a model server"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cfg := Defaults()
			cfg.Local.Upstream = tt.url
			p := &patient{o: Options{Config: cfg, World: filepath.Join(t.TempDir(), "none")}}
			found := p.upstream(t.Context())
			has(t, found, tt.level, tt.want)
			if !strings.Contains(found[0].Found, tt.url) || strings.Contains(fmt.Sprint(found), "canary") {
				t.Errorf("found %+v; want the address, and not what it says", found)
			}
			has(t, p.worldFile(t.Context()), doctor.OK, "LOCAL MODE")
		})
	}
}

func TestDoctorCircuits(t *testing.T) {
	for _, tt := range []struct {
		name  string
		p     patient
		level doctor.Level
		want  string
	}{
		{"ready", patient{Patient: doctor.Patient{Running: true}, status: Status{Ready: true, Circuits: []Circuit{{State: "stem"}, {State: stateOpen}, {State: stateOpen}}}}, doctor.OK, "2 open, 1 without a provider"},
		{"waiting", patient{Patient: doctor.Patient{Running: true}, status: Status{Waiting: []string{"no provider is known"}, Started: time.Now().Add(-time.Hour)}}, doctor.Problem, "not ready: no provider is known"},
		{"just started", patient{Patient: doctor.Patient{Running: true}, status: Status{Waiting: []string{"no provider is known"}, Started: time.Now()}}, doctor.Warning, "just started"},
	} {
		t.Run(tt.name, func(t *testing.T) { has(t, tt.p.circuits(t.Context()), tt.level, tt.want) })
	}
	if found := (&patient{}).circuits(t.Context()); found != nil {
		t.Errorf("circuits without a bridge: %+v", found)
	}
}

// A bridge that was evicted, or is no member yet, is told so, and how to join.
func TestDoctorMembership(t *testing.T) {
	for _, tt := range []struct {
		name  string
		s     member.Status
		level doctor.Level
		want  string
	}{
		{"member", member.Status{Member: true, Members: 3, Generation: 4}, doctor.OK, "one of 3 members, generation 4"},
		{"none yet", member.Status{Problem: "this node is no member"}, doctor.Warning, "this node is no member"},
		{"evicted", member.Status{Member: true, Problem: "other members take no session of this node"}, doctor.Warning, "take no session"},
	} {
		p := patient{Patient: doctor.Patient{Running: true}, status: Status{Member: &tt.s}}
		t.Run(tt.name, func(t *testing.T) { has(t, p.membership(t.Context()), tt.level, tt.want) })
	}
	if found := (&patient{Patient: doctor.Patient{Running: true}}).membership(t.Context()); found != nil {
		t.Errorf("membership of a bridge that never asked for it: %+v", found)
	}
}

// A bridge that runs is believed about its directory; one that does not is not
// asked.
func TestDoctorDirectory(t *testing.T) {
	w, err := world.New(world.World{Phrase: "x", Rules: world.DefaultRules()})
	if err != nil {
		t.Fatal(err)
	}
	p := &patient{Patient: doctor.Patient{World: w, Known: doctor.Merge(w, time.Now())}}
	has(t, p.directory(t.Context()), doctor.Problem, "0 relays known, a circuit takes 2")
	p.Running, p.status = true, Status{Directory: &node.DirectoryStatus{Age: 1, Relays: 3, Providers: 1}}
	has(t, p.directory(t.Context()), doctor.OK, "3 relays, 1 provider")
}

// runDoctor runs the command on free ports and returns its output.
func runDoctor(t *testing.T, args ...string) (string, error) {
	t.Helper()
	cmd := Command()
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	var out bytes.Buffer
	cmd.SetOut(&out)
	cmd.SetErr(&out)
	cmd.SetArgs(append([]string{"doctor", "--listen", "127.0.0.1:0", "--status-listen", "127.0.0.1:0"}, args...))
	err := cmd.ExecuteContext(t.Context())
	return out.String(), err
}

// Without any seed, in a world of its own: each thing is named once, with what
// to do, and nothing is written.
func TestDoctorCommand(t *testing.T) {
	url, err := world.ParseAddr("/ip4/127.0.0.1/tcp/" + nobody(t)[len("http://127.0.0.1:"):])
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "world.toml")
	w := &world.World{Phrase: "x", Rules: world.DefaultRules(), Local: true, Seeds: []string{url.Transport + "/p2p/" + mesh.PeerID([32]byte{1})}}
	if err := world.WriteFile(file, w); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "d")
	out, err := runDoctor(t, "--data", dir, "--world", file)
	if app.Code(err) != app.ExitFailed {
		t.Errorf("doctor = %v, want exit code 1", err)
	}
	for _, want := range []string{
		"warning  bridge", "bridge.test serve --data " + dir, "ok       world", "problem  seed 1 of 1", "cannot be reached (connection refused)",
		"skipped  clock", "problem  directory", "skipped  API", "problems, ",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("doctor does not say %q:\n%s", want, out)
		}
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("the data directory: %v; want it not made", err)
	}
	// Local mode beside a world is what serve refuses.
	out, err = runDoctor(t, "--data", dir, "--world", file, "--upstream", nobody(t))
	if app.Code(err) != app.ExitFailed || !strings.Contains(out, "problem  configuration") || !strings.Contains(out, "--upstream is local mode") {
		t.Errorf("doctor of local mode in a world = %v\n%s", err, out)
	}
	// A mistake in the command line is no finding.
	if _, err := runDoctor(t, "--data", dir, "--debug", "0.0.0.0:1"); app.Code(err) != app.ExitRefused {
		t.Errorf("doctor with a public address = %v, want exit code 4", err)
	}
}

// An API that other machines reach needs a key, and TLS.
func TestDoctorExposed(t *testing.T) {
	cfg := Defaults()
	p := &patient{o: Options{Config: cfg, Data: t.TempDir(), World: filepath.Join(t.TempDir(), "none")}}
	has(t, p.configuration(t.Context()), doctor.OK, "valid")
	cfg.API.Listen = []string{listen4, "0.0.0.0:8811"}
	has(t, p.configuration(t.Context()), doctor.Problem, "keys add NAME")
	if err := os.WriteFile(filepath.Join(p.o.Data, "keys.db"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	has(t, p.configuration(t.Context()), doctor.Warning, "TLS")
}

func TestDoctorPorts(t *testing.T) {
	cfg := Defaults()
	taken := strings.TrimPrefix(answering(t, 200, "application/json", `{"name":"culvert"}`), "http://")
	cfg.API.Listen, cfg.Status.Listen = []string{taken}, ""
	p := &patient{o: Options{Config: cfg}}
	has(t, p.ports(t.Context()), doctor.Problem, taken+" is taken by another bridge")
	p.Misconfigured = os.ErrInvalid
	has(t, p.ports(t.Context()), doctor.Skipped, "configuration")
	p.Running, p.status.BaseURLs = true, []string{"http://127.0.0.1:1/v1"}
	has(t, p.ports(t.Context()), doctor.OK, "http://127.0.0.1:1/v1")
}
