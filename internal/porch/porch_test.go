package porch_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/culvert-net/culvert/internal/porch"
)

// A new one comes in at once, even if the oldest takes long to end.
func TestNewestComeIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := porch.New(3, time.Hour)
		var ended [5]int
		var all []*porch.Visitor
		before := time.Now()
		for i := range ended {
			all = append(all, p.Enter(func() { time.Sleep(time.Second); ended[i]++ }))
		}
		if p.Len() != 3 || time.Since(before) > 0 {
			t.Errorf("%d are in after %v, want three at once", p.Len(), time.Since(before))
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		for i, v := range all {
			want := porch.Left
			if i < 2 {
				want = porch.Crowded
			}
			for range 2 {
				if got := v.Leave(); got != want {
					t.Errorf("visitor %d: %v, want %v", i, got, want)
				}
			}
		}
		if p.Len() != 0 || ended != [5]int{1, 1, 0, 0, 0} {
			t.Errorf("%d are in, ended %v after all left; want the two oldest ended", p.Len(), ended)
		}
	})
}

func TestNobodyStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := porch.New(3, time.Minute)
		var late, gone bool
		first := p.Enter(func() { late = true })
		second := p.Enter(func() { gone = true })
		time.Sleep(time.Minute - 1)
		synctest.Wait()
		if late || p.Len() != 2 {
			t.Errorf("before the time: ended %v, %d are in", late, p.Len())
		}
		if why := second.Leave(); why != porch.Left {
			t.Errorf("who leaves in time: %v", why)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if why := first.Leave(); !late || gone || why != porch.Late || p.Len() != 0 {
			t.Errorf("ended %v, who had left %v; %v, %d are in", late, gone, why, p.Len())
		}
	})
}

// Whatever happens at once, each is ended once at most, and none that left in time.
func TestAtOnce(t *testing.T) {
	p := porch.New(4, time.Hour)
	var wg sync.WaitGroup
	for range 200 {
		wg.Go(func() {
			var ended atomic.Int32
			over := make(chan struct{})
			v := p.Enter(func() { ended.Add(1); close(over) }) // a second close would panic
			if v.Leave() == porch.Crowded {
				<-over
			} else if ended.Load() > 0 {
				t.Error("one that left in time was ended")
			}
		})
	}
	wg.Wait()
	if p.Len() != 0 {
		t.Errorf("%d are in after all left", p.Len())
	}
}
