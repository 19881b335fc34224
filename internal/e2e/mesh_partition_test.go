//go:build e2e && mesh && linux

package e2e

import (
	"bytes"
	"fmt"
	"maps"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/culvert-net/culvert/internal/app/member"
)

// lan is a network of its own: a namespace with a switch, and one for each machine,
// with a cable to it. Nothing of it is in the network of this machine.
type lan struct {
	t        *testing.T
	prefix   string // of the names of the namespaces
	machines []string
}

// lanName is what a namespace is called: whose process made it, and what it is.
var lanName = regexp.MustCompile(`^culvert-(\d+)-`)

const lanSwitch = "switch"

// newLAN makes the network, or says why it cannot.
func newLAN(t *testing.T, machines ...string) *lan {
	t.Helper()
	if reason, err := exec.Command("./namespaces").Output(); err != nil {
		if len(reason) == 0 {
			t.Fatal(err)
		}
		t.Skipf("SKIP %s: %s", t.Name(), bytes.TrimSpace(reason))
	}
	removeLANs(func(pid int) bool { return syscall.Kill(pid, 0) != nil }) // of a run that was killed
	l := &lan{t: t, prefix: fmt.Sprintf("culvert-%d-", os.Getpid()), machines: machines}
	t.Cleanup(func() { removeLANs(func(pid int) bool { return pid == os.Getpid() }) })
	l.ip("netns", "add", l.ns(lanSwitch))
	l.ip("-n", l.ns(lanSwitch), "link", "add", "name", "br0", "type", "bridge")
	l.ip("-n", l.ns(lanSwitch), "link", "set", "br0", "up")
	for _, m := range machines {
		l.ip("netns", "add", l.ns(m))
		l.ip("-n", l.ns(m), "link", "set", "lo", "up")
		l.ip("-n", l.ns(lanSwitch), "link", "add", "name", m, "type", "veth", "peer", "name", "eth0", "netns", l.ns(m))
		l.ip("-n", l.ns(lanSwitch), "link", "set", "dev", m, "master", "br0", "up")
		l.ip("-n", l.ns(m), "address", "add", l.address(m)+"/24", "dev", "eth0")
		l.ip("-n", l.ns(m), "link", "set", "eth0", "up")
	}
	return l
}

// removeLANs removes the namespaces of processes of which ours says so, and with
// them what is in them.
func removeLANs(ours func(pid int) bool) {
	out, _ := exec.Command("ip", "netns", "list").Output() // none is there, if it fails
	for line := range strings.Lines(string(out)) {
		name, _, _ := strings.Cut(strings.TrimSpace(line), " ")
		if m := lanName.FindStringSubmatch(name); m != nil {
			if pid, err := strconv.Atoi(m[1]); err == nil && ours(pid) {
				_ = exec.Command("ip", "netns", "delete", name).Run()
			}
		}
	}
}

func (l *lan) ns(name string) string { return l.prefix + name }

// address is a machine's.
func (l *lan) address(machine string) string {
	for i, m := range l.machines {
		if m == machine {
			return fmt.Sprintf("10.77.0.%d", i+1)
		}
	}
	l.t.Fatalf("no machine is called %q", machine)
	return ""
}

func (l *lan) ip(args ...string) {
	l.t.Helper()
	if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
		l.t.Fatalf("ip %v: %v, %s", args, err, out)
	}
}

// cable pulls a machine's cable, or plugs it in again.
func (l *lan) cable(machine, state string) {
	l.t.Helper()
	l.ip("-n", l.ns(lanSwitch), "link", "set", "dev", machine, state)
}

// on is a command that runs on a machine.
func (l *lan) on(machine string, args ...string) *exec.Cmd {
	return exec.Command("ip", append([]string{"netns", "exec", l.ns(machine), program("observer")}, args...)...)
}

const (
	// partition is how long the network is broken: two epochs of a minute, after
	// which each side has epochs in which it heard nothing of the other.
	partition = 2 * time.Minute

	// sayings is how often each side says something meanwhile.
	sayings = 20

	// maxHealRounds is the design's bar.
	maxHealRounds = 2
)

// Three members, each on a machine of its own. The cable of one is pulled for two
// epochs while both sides say things. When it is in again the logs are the same
// within two rounds.
func TestMeshPartition(t *testing.T) {
	t.Parallel()
	names := []string{"a", "b", "c"}
	l := newLAN(t, names...)
	w := &watchers{t: t, root: t.TempDir(), daemons: make(map[string]*daemon)}
	listen := func(name string) string { return "/ip4/" + l.address(name) + "/tcp/4811" }
	run := func(cmd *exec.Cmd) {
		t.Helper()
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %v, %s", cmd.Args, err, out)
		}
	}
	serve := func(name string) {
		t.Helper()
		cmd := l.on(name, "serve", "--data", w.dir(name), "--status-listen", "127.0.0.1:0", "--log-format", "json", "--log-level", "debug", "--exit-with-stdin")
		// It ends when this process does, however that ends.
		if _, err := cmd.StdinPipe(); err != nil {
			t.Fatal(err)
		}
		w.daemons[name] = daemoniseCommand(t, cmd)
		ready(t, "observer", w.dir(name))
	}
	run(l.on("a", "world", "create", "islands", "--local", "--mode", "closed", "--epoch", "1m", "--data", w.dir("a"), "--listen", listen("a"), "--name", "a"))
	serve("a")
	for _, name := range names[1:] {
		var inv member.Invited
		w.ask("a", &inv, "world", "invite")
		file := filepath.Join(w.root, name+".invite.toml")
		if err := os.WriteFile(file, []byte(inv.File), 0o600); err != nil {
			t.Fatal(err)
		}
		join := l.on(name, "join", file, "--data", w.dir(name), "--listen", listen(name), "--name", name)
		join.Env = append(os.Environ(), "CULVERT_INVITE_PHRASE="+inv.Phrase)
		run(join)
		serve(name)
	}
	w.members(3, names...)
	w.reaches(w.endorse("c", 255), names...)

	l.cable("c", "down")
	pause := time.NewTicker(partition / sayings)
	defer pause.Stop()
	said := map[string][]string{}
	for i := range sayings {
		<-pause.C
		for _, name := range names {
			said[name] = append(said[name], w.endorse(name, byte(i)))
		}
	}
	for _, id := range said["c"] {
		if w.has("a", id) || w.has("b", id) {
			t.Fatal("what c says is heard though its cable is pulled: the network is not broken")
		}
	}
	for _, id := range append(said["a"], said["b"]...) {
		if w.has("c", id) {
			t.Fatal("c hears what others say though its cable is pulled: the network is not broken")
		}
	}

	rounds := make(map[string]uint64)
	for _, name := range names {
		rounds[name] = w.status(name).Sync.Rounds
	}
	l.cable("c", "up")
	healed := time.Now()
	const all = 1 + 3*sayings
	// A round is due every quarter of an epoch, so the bar is well within the cap.
	eventuallyEvery(t, 250*time.Millisecond, longest, "logs are the same after the network healed", func() error {
		first := w.ids(names[0])
		for _, name := range names {
			if n := len(w.told(name)); n != all {
				return fmt.Errorf("%s has %d of %d", name, n, all)
			}
			if !maps.Equal(w.ids(name), first) { // descriptors too, of which one may just be made
				return fmt.Errorf("%s and %s differ", name, names[0])
			}
		}
		return nil
	})
	took := time.Since(healed)
	w.whole(all, names...)
	slowest := uint64(math.MaxUint64)
	for _, name := range names {
		n := w.status(name).Sync.Rounds - rounds[name]
		slowest = min(slowest, n)
		t.Logf("%s: %d rounds from the healing until all had the same %d events, %.1f s after it (bar: %d rounds)", name, n, all, took.Seconds(), maxHealRounds)
	} // When every member has made so many rounds, all is to be the same. One that was
	// under way when the cable was plugged in counts too.
	if slowest > maxHealRounds {
		t.Errorf("every member made %d rounds or more before all had the same events, want at most %d", slowest, maxHealRounds)
	}
}
