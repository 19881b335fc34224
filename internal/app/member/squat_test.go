package member

import (
	"crypto/ed25519"
	"testing"
	"time"

	"github.com/culvert-net/culvert/mesh/roster"
)

// Who is to be evicted, or an accomplice of it, asks for the eviction first and never
// carries it out. Founders who mean it still find each other's approvals.
func TestEvictionIsNotSquatted(t *testing.T) {
	for name, squatter := range map[string]int{"the target": 2, "an accomplice": 3} {
		t.Run(name, func(t *testing.T) {
			keys := []ed25519.PrivateKey{newKey(t), newKey(t)}
			// Of two petitions that are alike the smaller key's is approved.
			low := newKey(t)
			for a, b := public(keys[0]), public(keys[1]); public(low)[0] >= min(a[0], b[0]); low = newKey(t) {
				if min(a[0], b[0]) == 0 {
					keys[0], keys[1] = newKey(t), newKey(t)
					a, b = public(keys[0]), public(keys[1])
				}
			}
			w := makeWorld(t, 2, keys...)
			all := []ed25519.PrivateKey{keys[0], keys[1], newKey(t), newKey(t)}
			all[squatter] = low
			var founded []Founder
			var ms []*Member
			for _, k := range all {
				m := open(t, w, k)
				ms = append(ms, m)
				founded = append(founded, Founder{Member: m, Role: roster.RoleMemory})
			}
			try(t, Found(founded, keys, time.Now()))
			s := start(t, ms...)
			target, _ := ms[0].Roster().Member(ms[2].Self())
			junk := roster.Petition{Proposer: ms[squatter].Self(), Change: roster.Change{Kind: roster.Remove, Member: target}}
			for _, m := range ms[:2] {
				try(t, m.waiting.Merge([][]byte{junk.Canonical()}))
			}
			evict := func(i int) {
				t.Helper()
				_, err := (&Ops{Member: ms[i]}).evict(t.Context(), Named{Name: fullKey(target.Key)})
				try(t, err)
			}
			evict(0)
			meet(t, s[0], ms[1])
			evict(1)
			meet(t, s[0], ms[1])
			try(t, ms[0].settle(t.Context(), time.Now()))
			if _, still := ms[0].Roster().Member(target.Key); still {
				t.Errorf("both founders evicted it, and it is a member still; waiting: %+v", ms[0].waiting.all(time.Now()))
			}
		})
	}
}
