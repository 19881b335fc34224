package observer

import (
	"strings"
	"testing"

	"github.com/culvert-net/culvert/internal/app/doctor"
	"github.com/culvert-net/culvert/internal/app/member"
)

// What a failed round is taken for: a clock that is off is no eviction.
func TestDoctorSync(t *testing.T) {
	partners := func(reasons ...string) (all []member.SyncPartner) {
		for _, r := range reasons {
			all = append(all, member.SyncPartner{Error: r})
		}
		return all
	}
	for _, c := range []struct {
		name     string
		partners []member.SyncPartner
		level    doctor.Level
		do, not  string
	}{
		{"all is well", partners("", ""), doctor.OK, "", "Set the clock"},
		{"one is away", partners("unreachable", ""), doctor.OK, "", "evicted"},
		{"closed", partners("closed", "closed"), doctor.Warning, "evicted", "Set the clock"},
		{"clock", partners("clock", "clock"), doctor.Warning, "Set the clock", "evicted"},
		{"clock, and one is away", partners("clock", "unreachable"), doctor.Warning, "Set the clock", "evicted"},
		{"clock of one that is wrong itself", partners("clock", ""), doctor.OK, "", "Set the clock"},
	} {
		p := &patient{}
		p.Running = true
		p.status.Member = &member.Status{Member: true, Members: 3, Sync: member.SyncStatus{Rounds: 1, Partners: c.partners}}
		found := p.sync(t.Context())
		if len(found) != 1 || found[0].Level != c.level || !strings.Contains(found[0].Do, c.do) || strings.Contains(found[0].Do, c.not) {
			t.Errorf("%s: %+v", c.name, found)
		}
	}
}
