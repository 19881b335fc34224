//go:build e2e && mesh

package e2e

import (
	"bufio"
	"bytes"
	"crypto/ed25519"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/culvert-net/culvert/internal/app/member"
	"github.com/culvert-net/culvert/internal/app/node"
	"github.com/culvert-net/culvert/internal/app/observer"
	"github.com/culvert-net/culvert/mesh/event"
	"github.com/culvert-net/culvert/mesh/event/protobuf"
	meshworld "github.com/culvert-net/culvert/mesh/world"
)

// `make mesh`: the event log of real processes, at the size that it is made for.

// unlimited is a quota that these tests do not reach.
const unlimited = "1000000"

// author signs events with a member's key, as a program that probes would.
type author struct {
	key   ed25519.PrivateKey
	world *meshworld.World
	n     uint64 // events signed, so that no two are the same
}

func newAuthor(t *testing.T, dir string) *author {
	t.Helper()
	key, err := node.LoadKey(filepath.Join(dir, "transport.key"))
	if err != nil {
		t.Fatal(err)
	}
	w, err := meshworld.Load(filepath.Join(dir, "world.toml"))
	if err != nil {
		t.Fatal(err)
	}
	return &author{key: key, world: w}
}

// sign signs the next event, of an epoch: every second one tells that two targets
// may be one, the others that two events contradict each other.
func (a *author) sign(epoch uint64) (*event.Event, error) {
	a.n++
	place := event.Place{WorldID: a.world.ID, EpochID: epoch}
	var one, other meshworld.Hash
	binary.LittleEndian.PutUint64(one[:], a.n)
	binary.LittleEndian.PutUint64(other[8:], a.n%1000+1)
	if a.n%2 == 0 {
		return event.SignLinkHint(a.key, event.LinkHint{Place: place, TargetA: other, TargetB: one, Evidence: one, Compatibility: 0.5})
	}
	return event.SignDispute(a.key, event.Dispute{Place: place, EventA: one, EventB: other, Reason: "they cannot both be right"})
}

// batch is events in the form in which `observer log import` takes them.
type batch struct {
	ids  []string
	text [][]byte // one of each event
}

// write signs n events of the epoch of the moment.
func (a *author) write(t testing.TB, n int) batch {
	t.Helper()
	return a.batch(t, a.world.Epoch(time.Now()), n)
}

// batch signs n events of an epoch.
func (a *author) batch(t testing.TB, epoch uint64, n int) (b batch) {
	t.Helper()
	for range n {
		e, err := a.sign(epoch)
		if err != nil {
			t.Fatal(err)
		}
		message := protobuf.Encode(e)
		b.ids = append(b.ids, e.ID.String())
		b.text = append(b.text, append(binary.AppendUvarint(nil, uint64(len(message))), message...))
	}
	return b
}

// imports has a running observer take events, all of which are new to it.
func (w *watchers) imports(name string, b batch) {
	w.t.Helper()
	cmd := exec.Command(program("observer"), "log", "import", "-", "--format", "protobuf", "--json", "--data", w.dir(name))
	cmd.Stdin, cmd.Stderr = bytes.NewReader(bytes.Join(b.text, nil)), w.t.Output()
	out, err := cmd.Output()
	var took member.ImportOut
	if err == nil {
		err = json.Unmarshal(out, &took)
	}
	if err != nil || took.Added != len(b.ids) {
		w.t.Fatalf("import to %s: %v, %s; want %d added", name, err, out, len(b.ids))
	}
}

// ids are those of all events that an observer has.
func (w *watchers) ids(name string) map[string]bool {
	w.t.Helper()
	return w.events(name, func(member.Listed) bool { return true })
}

// told are the ids of what a test has said: members publish their descriptors
// besides, one in each epoch.
func (w *watchers) told(name string) map[string]bool {
	w.t.Helper()
	return w.events(name, func(e member.Listed) bool { return e.Type != "descriptor" })
}

func (w *watchers) events(name string, want func(member.Listed) bool) map[string]bool {
	w.t.Helper()
	cmd := exec.Command(program("observer"), "log", "--json", "--data", w.dir(name))
	cmd.Stderr = w.t.Output()
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		w.t.Fatal(err)
	}
	all := make(map[string]bool)
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var e member.Listed
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			w.t.Fatal(err)
		}
		if want(e) {
			all[e.ID] = true
		}
	}
	if err := errors.Join(lines.Err(), cmd.Wait()); err != nil {
		w.t.Fatalf("listing the log of %s: %v", name, err)
	}
	return all
}

// status is what an observer says of its membership.
func (w *watchers) status(name string) *member.Status {
	w.t.Helper()
	var s observer.Status
	w.ask(name, &s, "status")
	if s.Member == nil {
		w.t.Fatalf("status of %s says nothing of its membership", name)
	}
	return s.Member
}

// hold waits until observers have so many events that a test has said.
func (w *watchers) hold(limit time.Duration, n int, names ...string) {
	w.t.Helper()
	for _, name := range names {
		// Asking costs the processes that are waited for.
		eventuallyEvery(w.t, 250*time.Millisecond, limit, fmt.Sprintf("%s has %d events", name, n), func() error {
			if s := w.status(name); s.Log.Events < uint64(n) { // listing them takes seconds
				return fmt.Errorf("it has %d events; %+v", s.Log.Events, s.Sync)
			}
			if has := len(w.told(name)); has != n {
				return fmt.Errorf("it has %d", has)
			}
			return nil
		})
	}
}

// same fails the test unless all observers have the same of what was said, n events.
func (w *watchers) same(n int, names ...string) {
	w.t.Helper()
	first := w.told(names[0])
	if len(first) != n {
		w.t.Errorf("%s has %d events, want %d", names[0], len(first), n)
	}
	for _, name := range names[1:] {
		all := w.told(name)
		for id := range all {
			if !first[id] {
				w.t.Fatalf("%s has event %s, %s has not", name, id, names[0])
			}
		}
		if len(all) != len(first) {
			w.t.Errorf("%s has %d events, %s has %d", name, len(all), names[0], len(first))
		}
	}
}

// whole fails the test unless everything recounts as it is stored, n events at least.
func (w *watchers) whole(n int, names ...string) {
	w.t.Helper()
	for _, name := range names {
		var x member.Checked
		w.ask(name, &x, "log", "check", "--full")
		if len(x.Problems) > 0 || x.Events < uint64(n) {
			w.t.Errorf("log check of %s = %+v, want %d events and no problem", name, x, n)
		}
	}
}

// kill is kill -9.
func (w *watchers) kill(name string) {
	w.t.Helper()
	d := w.daemons[name]
	if err := d.cmd.Process.Kill(); err != nil {
		w.t.Fatal(err)
	}
	<-d.done
}

// cpu is what an observer's process has used of a core.
func (w *watchers) cpu(name string) time.Duration {
	w.t.Helper()
	pid := w.daemons[name].cmd.Process.Pid
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		w.t.Fatal(err)
	}
	// After the name, which may hold anything: state is field 3, utime and stime
	// are 14 and 15, in hundredths of a second on every Linux.
	_, rest, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(rest)
	var ticks int
	for _, f := range fields[11:13] {
		n, err := strconv.Atoi(f)
		if err != nil {
			w.t.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

// sessions are those of which an observer logged, at level debug, that somebody
// lacked something, since it started.
func (w *watchers) sessions(name string) (all []sessionLine) {
	w.t.Helper()
	for line := range strings.Lines(w.daemons[name].out.String()) {
		var s sessionLine
		if json.Unmarshal([]byte(line), &s) == nil && s.Msg == "sync session" && s.Theirs+s.Ours > 0 {
			all = append(all, s)
		}
	}
	return all
}

// sessionLine is the line that a session leaves in the log.
type sessionLine struct {
	Msg        string `json:"msg"`
	Mode       string `json:"mode"`
	Theirs     int    `json:"theirs"`
	Ours       int    `json:"ours"`
	Added      int    `json:"added"`
	Bytes      int64  `json:"bytes"`
	RoundTrips int    `json:"round_trips"`
	Learn      int64  `json:"learn_bytes"`
	LearnTrips int    `json:"learn_round_trips"`
}
