package circuit

import "testing"

// Relays are suspected of what is stuck over them. What is stuck on the way to
// one provider speaks only against relays that all of it has in common: a
// provider that is slow over some relays on purpose has nobody keep off them.
func TestSuspicion(t *testing.T) {
	hops := func(names string) (all []Hop) {
		for _, name := range names {
			all = append(all, Hop{Name: string(name), Key: [32]byte{byte(name)}})
		}
		return all
	}
	for _, tt := range []struct {
		name           string
		silent, late   []string // circuits and attempts, by their hops; P and Q are providers
		suspected, not string   // relays
	}{
		{"nothing", nil, nil, "", "abcd"},
		{"a silent stem", []string{"ab"}, nil, "ab", "cd"},
		{"stems have nothing in common", []string{"ab", "cb", "cd"}, nil, "abcd", "e"},
		{"a silent circuit", []string{"abP"}, nil, "ab", "cd"},
		{"two over one relay", []string{"abP", "caP"}, nil, "a", "bc"},
		{"a provider is slow over some", []string{"abP", "cdP", "efP"}, nil, "", "abcdef"},
		{"and on builds", []string{"abP"}, []string{"cdP"}, "", "abcd"},
		{"each by itself", []string{"abP", "cdQ"}, nil, "abcd", "ef"},
		{"a build that has not come to it", []string{"abP"}, []string{"cd"}, "abcd", "ef"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := &Client{
				cfg:      ClientConfig{Hops: 3},
				circuits: make(map[*circuit]struct{}), attempts: make(map[*attempt]struct{}),
			}
			for _, s := range tt.silent {
				c.circuits[&circuit{client: c, hops: hops(s), suspect: true}] = struct{}{}
			}
			for _, s := range tt.late {
				c.attempts[&attempt{hops: hops(s), late: true}] = struct{}{}
			}
			for _, h := range hops(tt.suspected) {
				if c.suspicion([]Hop{h}) == 0 {
					t.Errorf("%s is not suspected", h.Name)
				}
			}
			for _, h := range hops(tt.not) {
				if c.suspicion([]Hop{h}) != 0 {
					t.Errorf("%s is suspected", h.Name)
				}
			}
		})
	}
}
