package claim_test

import (
	"slices"
	"testing"
	"time"

	"github.com/culvert-net/culvert/ledger"
	"github.com/culvert-net/culvert/ledger/claim"
)

// due is one of a channel, in units of what the gas of one entry costs at a price
// of one wei.
func due(channel byte, entries uint64, closeAt, since uint64) claim.Due {
	var v ledger.Signed[ledger.Voucher]
	v.Message = ledger.Voucher{Channel: ledger.ChannelID{channel}, Epoch: 1, Cumulative: ledger.Wei(16_000 * entries)}
	return claim.Due{Voucher: v, Unclaimed: v.Message.Cumulative, Locked: ledger.Wei(1_000_000), CloseAt: closeAt, Since: since}
}

func TestPlan(t *testing.T) {
	const now = 100_000
	const hour = 3600
	one := claim.Gas{Price: ledger.Wei(1)}
	var many []claim.Due
	for i := range 250 {
		d := due(1, 100, 0, now)
		d.Voucher.Message.Channel = ledger.ChannelID{9, byte(i >> 8), byte(i)}
		many = append(many, d)
	}
	for _, tt := range []struct {
		name string
		rule claim.Rule
		gas  claim.Gas
		dues []claim.Due
		want []byte // channels, in order
	}{
		{"nothing", claim.Rule{}, one, nil, nil},
		{"below twenty times the gas", claim.Rule{}, one, []claim.Due{due(1, 57, 0, now)}, nil}, // (30+16)·20/16 = 57.5
		{"above it", claim.Rule{}, one, []claim.Due{due(1, 58, 0, now)}, []byte{1}},
		{"gas costs more", claim.Rule{}, claim.Gas{Price: ledger.Wei(2)}, []claim.Due{due(1, 58, 0, now)}, nil},
		{"gas costs nothing", claim.Rule{}, claim.Gas{}, []claim.Due{due(1, 1, 0, now)}, []byte{1}},
		{"another multiple", claim.Rule{Multiple: 3}, one, []claim.Due{due(1, 9, 0, now)}, []byte{1}}, // 8.6
		{"many together", claim.Rule{}, one, []claim.Due{due(1, 30, 0, now), due(2, 40, 0, now), due(3, 30, 0, now)}, []byte{2, 1, 3}},
		{"too few together", claim.Rule{}, one, []claim.Due{due(1, 30, 0, now), due(2, 40, 0, now)}, nil},
		{"little ones don't go along", claim.Rule{}, one, []claim.Due{due(1, 19, 0, now), due(2, 100, 0, now)}, []byte{2}},
		{"six hours", claim.Rule{}, one, []claim.Due{due(1, 4, 0, now-6*hour), due(2, 30, 0, now), due(3, 2, 0, now)}, []byte{1, 2}},
		{"not six hours", claim.Rule{}, one, []claim.Due{due(1, 4, 0, now-6*hour+1)}, nil},
		{"another age", claim.Rule{Age: time.Hour}, one, []claim.Due{due(1, 4, 0, now-hour)}, []byte{1}},
		{"not worth its gas at any age", claim.Rule{}, one, []claim.Due{due(1, 1, 0, 0), due(2, 2, 0, 0)}, nil},
		{"closing, the next to end first", claim.Rule{}, one, []claim.Due{due(4, 90, 0, 0), due(1, 2, now+hour, now), due(2, 3, now+10, now), due(3, 5, 1, now)}, []byte{3, 2, 1, 4}},
		{"closing, and not worth its gas", claim.Rule{}, one, []claim.Due{due(1, 1, now+hour, now)}, nil},
		{"money", claim.Rule{Money: ledger.Wei(50 * 16_000)}, one, []claim.Due{due(1, 20, 0, now), due(2, 30, 0, now)}, []byte{2, 1}},
		{"less money", claim.Rule{Money: ledger.Wei(50*16_000 + 1)}, one, []claim.Due{due(1, 20, 0, now), due(2, 30, 0, now)}, nil},
		{"tokens", claim.Rule{Tokens: 50 * 16_000}, one, []claim.Due{due(1, 20, 0, now), due(2, 30, 0, now)}, []byte{2, 1}},
		{"fewer tokens", claim.Rule{Tokens: 50*16_000 + 1}, one, []claim.Due{due(1, 20, 0, now), due(2, 30, 0, now)}, nil},
		{"another asset: gas says nothing", claim.Rule{}, claim.Gas{Price: ledger.Wei(1), Foreign: true}, []claim.Due{due(1, 1000, 0, now)}, nil},
		{"another asset, six hours", claim.Rule{}, claim.Gas{Price: ledger.Wei(1), Foreign: true}, []claim.Due{due(1, 1, 0, now-6*hour)}, []byte{1}},
		{"another asset, closing", claim.Rule{Multiple: 5}, claim.Gas{Foreign: true}, []claim.Due{due(1, 1, now, now)}, []byte{1}},
		{"a batch is full: closing ones are in it", claim.Rule{}, one, append(slices.Clone(many), due(7, 3, now, now)), nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := claim.Plan(now, tt.rule, tt.gas, tt.dues)
			if len(tt.dues) > claim.MaxBatch {
				if len(got) != claim.MaxBatch || got[0].Voucher.Message.Channel[0] != 7 {
					t.Errorf("%d of %d, first %s", len(got), len(tt.dues), got[0].Voucher.Message.Channel)
				}
				return
			}
			var channels []byte
			for _, d := range got {
				channels = append(channels, d.Voucher.Message.Channel[0])
			}
			if !slices.Equal(channels, tt.want) {
				t.Errorf("channels %v, want %v", channels, tt.want)
			}
		})
	}
}
