//go:build e2e && mesh

package e2e

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"os/exec"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/culvert-net/culvert/internal/app/member"
)

const (
	// kills is how often the observer is killed while it takes events in.
	kills = 20

	// importedMost is how many events it is given each time, at most.
	importedMost = 3072
)

// Whenever an observer is killed while it takes events in, it starts again, its log
// is whole, and everything is there that it had acknowledged.
func TestMeshKilled(t *testing.T) {
	t.Parallel()
	w := newWatchers(t, "--mode", "closed", "--quota", unlimited)
	a := newAuthor(t, w.dir("a"))
	var acknowledged []string
	cut, most := 0, 0
	for round := range kills {
		b := a.write(t, 1+rand.IntN(importedMost))
		n := w.importUntilKilled("a", b)
		acknowledged = append(acknowledged, b.ids[:n]...)
		if n < len(b.ids) {
			cut++
		}
		most += len(b.ids)

		w.serve("a")
		all := w.ids("a")
		w.whole(len(all), "a")
		for i, id := range acknowledged {
			if !all[id] {
				t.Fatalf("round %d: event %d of %d, acknowledged, is missing", round, i, len(acknowledged))
			}
		}
		if len(all) > most {
			t.Fatalf("round %d: %d events are there, %d were made", round, len(all), most)
		}
	}
	t.Logf("killed %d times, %d of them within an answer; %d of %d events acknowledged, none of which is lost", kills, cut, len(acknowledged), most)
	if cut < kills/4 || len(acknowledged) == 0 {
		t.Errorf("%d of %d imports were cut short, %d events acknowledged: the test tested little", cut, kills, len(acknowledged))
	}
}

// addedBefore is what an import that failed says it had added.
var addedBefore = regexp.MustCompile(`\((\d+) events were added before\)`)

// importUntilKilled kills an observer at some moment while it takes events, and
// returns how many it had acknowledged: the first so many.
func (w *watchers) importUntilKilled(name string, b batch) int {
	w.t.Helper()
	cmd := exec.Command(program("observer"), "log", "import", "-", "--format", "protobuf", "--json", "--data", w.dir(name))
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	in, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		w.t.Fatal(err)
	}
	// The command reads on only when the observer has taken a part, so it is in the
	// middle of one when so many are written.
	if _, err := in.Write(bytes.Join(b.text, nil)); err != nil {
		w.t.Fatal(err)
	}
	time.Sleep(time.Duration(rand.IntN(int(20 * time.Millisecond)))) // anywhere within a transaction
	w.kill(name)
	_ = in.Close() // it may be gone
	// Between two parts the command does not notice, and changes the files itself.
	if cmd.Wait() == nil {
		var took member.ImportOut
		if err := json.Unmarshal(said.Bytes(), &took); err != nil || took.Added != len(b.ids) {
			w.t.Fatalf("import said %q, %v; want %d added", &said, err, len(b.ids))
		}
		return took.Added
	}
	m := addedBefore.FindStringSubmatch(said.String())
	if m == nil {
		w.t.Fatalf("the import that was cut short said %q; want how many events were added", &said)
	}
	n, err := strconv.Atoi(m[1])
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}
