package member

import (
	"strings"
	"testing"
	"time"
)

// Who was evicted is not told; but it sees soon that nobody takes its sessions, and
// is not ready. Who is cut off for a while is ready all the time.
func TestEvictedIsNotReady(t *testing.T) {
	runHosted(t, 5, func(t *testing.T, h *hosted) {
		for i := range 5 {
			h.start(i)
		}
		ready := func(when string) {
			t.Helper()
			for i := range 4 {
				if err := h.members[i].Ready(); err != nil {
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
		if err := h.members[4].Ready(); err != nil {
			t.Fatalf("before its eviction: %v", err)
		}

		evicted(t, h.members[0].Member, h.members[4].Member)
		time.Sleep(30 * time.Second)
		err := h.members[4].Ready()
		if err == nil || !strings.Contains(err.Error(), "was it evicted?") {
			t.Errorf("half a minute after its eviction: ready is %v", err)
		}
		if s := h.members[4].Status(); s.Problem == "" {
			t.Error("the status has no problem")
		}
		ready("after another's eviction")
	})
}
