package channel

import (
	"testing"
	"time"

	"github.com/culvert-net/culvert/ledger"
)

// What the young owe is summed over the hours in which they came, ages by the hour,
// and stays of a bounded size whoever pays when.
func TestCohorts(t *testing.T) {
	at := func(hour uint64) time.Time {
		return time.UnixMilli(int64(hour) * cohortTime.Milliseconds()).Add(time.Minute)
	}
	var c cohorts
	owed := make(map[uint64]uint64)
	move := func(hour, from, to uint64) {
		t.Helper()
		if err := c.move(hour, ledger.Wei(from), ledger.Wei(to)); err != nil {
			t.Fatal(err)
		}
		owed[hour] = owed[hour] - from + to
		for i := range c.hours {
			if i > 0 && c.hours[i-1].hour >= c.hours[i].hour || c.hours[i].exposed != ledger.Wei(owed[c.hours[i].hour]) {
				t.Fatalf("hours %+v, want what %v has", c.hours, owed)
			}
		}
	}
	const now = 1000
	for _, hour := range []uint64{now - 30, now, now - 24, now - 25, now - 3} {
		move(hour, 0, 100+hour)
		move(hour, 50, 7)
	}
	move(now-3, 1054, 0)
	if len(c.hours) != 4 {
		t.Errorf("an hour in which nobody owes is kept: %+v", c.hours)
	}
	if got, want := c.young(at(now)), ledger.Wei(owed[now]+owed[now-24]); got != want {
		t.Errorf("the young owe %s, want %s", got, want)
	}
	if got, want := c.young(at(now+1)), ledger.Wei(owed[now]); got != want {
		t.Errorf("an hour later they owe %s, want %s", got, want)
	}
	if !isYoung(now+2, at(now)) || isYoung(now-25, at(now)) || !isYoung(now-24, at(now)) {
		t.Error("young are those of the last 24 whole hours, and of the future, when the clock is set")
	}
	for hour := uint64(now); hour < now+100; hour++ {
		if err := c.move(hour, ledger.Amount{}, ledger.Wei(1)); err != nil {
			t.Fatal(err)
		}
	}
	if len(c.hours) != maxCohorts || c.hours[0].hour != now+100-maxCohorts {
		t.Errorf("%d hours are kept, from %d on", len(c.hours), c.hours[0].hour)
	}
	var again cohorts
	if err := decode(encode(&c), &again); err != nil || len(again.hours) != maxCohorts {
		t.Errorf("what was written is read as %d hours, %v", len(again.hours), err)
	}
	if err := c.move(now+99, ledger.Amount{}, ledger.MaxAmount); err == nil {
		t.Error("more is owed than there is")
	}
}
