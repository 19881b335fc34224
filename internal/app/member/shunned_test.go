package member

import (
	"strings"
	"testing"
	"time"
)

// Who was evicted is not told; but it sees soon that nobody takes its sessions, and
// is not ready, though its rounds are minutes apart.
func TestEvictedIsNotReady(t *testing.T) {
	runHostedIn(t, time.Hour, 5, func(t *testing.T, h *hosted) {
		for i := range 5 {
			h.start(i)
		}
		for range 3 {
			time.Sleep(20 * time.Second)
			for i, m := range h.members {
				if err := m.Ready(); err != nil {
					t.Fatalf("member %d is not ready at first: %v", i, err)
				}
			}
		}
		evicted(t, h.members[0].Member, h.members[4].Member)
		time.Sleep(20 * time.Second)
		err := h.members[4].Ready()
		if err == nil || !strings.Contains(err.Error(), "was it evicted?") {
			t.Errorf("20 s after its eviction: ready is %v", err)
		}
		if s := h.members[4].Status(); s.Problem == "" {
			t.Error("the status has no problem")
		}
		for i, m := range h.members[:4] {
			if err := m.Ready(); err != nil {
				t.Errorf("after another's eviction member %d is not ready: %v", i, err)
			}
		}
	})
}

// Who is cut off for a while is ready all the time, as are the others.
func TestPartitionIsNoEviction(t *testing.T) {
	runHosted(t, 4, func(t *testing.T, h *hosted) {
		for i := range 4 {
			h.start(i)
		}
		ready := func(when string) {
			t.Helper()
			for i, m := range h.members {
				if err := m.Ready(); err != nil {
					t.Errorf("%s: member %d is not ready: %v", when, i, err)
				}
			}
		}
		epoch := h.world.Epoch(time.Now()) + 1
		h.epoch(epoch)
		ready("at first")
		h.net.Partition(3)
		for range 5 {
			epoch++
			h.epoch(epoch)
			ready("in a partition")
		}
		h.net.Heal()
		h.epoch(epoch + 2)
		ready("after it")
	})
}
