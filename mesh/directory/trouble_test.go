package directory

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestTrouble(t *testing.T) {
	var x trouble
	at := time.Unix(1e9, 0)
	for i, step := range []struct {
		after time.Duration
		text  string
		want  bool
	}{
		{0, "a", false},
		{settle - 1, "a", false},
		{settle, "a", true},
		{2 * settle, "a", false},
		{2 * settle, "b", true},
		{3 * settle, "", false},
		{4 * settle, "b", false},
		{5 * settle, "b", true},
	} {
		if got := x.warn(step.text, at.Add(step.after)); got != step.want {
			t.Errorf("step %d: warn(%q) = %t, want %t", i, step.text, got, step.want)
		}
	}
}

// Nodes that start one after the other do not find all others at once, and
// warned of it on every start of a whole world.
func TestStartingTogetherIsNoTrouble(t *testing.T) {
	for name, c := range map[string]struct {
		late time.Duration
		want bool
	}{
		"seconds": {settle / 2, false},
		"minutes": {time.Minute, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := peerAddr(t, 1)
				w := testWorld(t, a)
				net := newNetwork()
				m := startMember(t, w, net, memberConfig{key: 3, self: plainNode(t, 3, "m")})
				time.Sleep(c.late)
				set := NewSet(w)
				net.add(a, set)
				await(t, 2*lastRepublish, "the seed knows", knows(set, 3))
				await(t, 2*lastRetry, "the seed answers", func() bool { return m.Status().FetchError == "" })
				for _, warning := range []string{"no seed answers", "not published everywhere"} {
					if got := strings.Contains(m.log.String(), warning); got != c.want {
						t.Errorf("the log says %q: %t, want %t", warning, got, c.want)
					}
				}
			})
		})
	}
}
