package sim

// Config is one world and what happens in it. Times are milliseconds. Zero
// fields that say so have defaults; everything else is off when zero.
type Config struct {
	Nodes    int
	Messages int // at most 128
	Seed     uint64

	// Every is the time between two messages, each by an honest node that is
	// online; default 100.
	Every int

	// Links a node opens; default 8. The mesh: default 6, 5 and 12. They are the
	// numbers of package mesh, and a test says so.
	Links, Degree, DegreeLow, DegreeHigh int

	// Median and Spread are of a way's latency, which is log-normal: default 50
	// and 0.6, so that one way in a hundred takes 200. Hop is what a node takes
	// to check a message and send it on; default 2.
	Median int
	Spread float64
	Hop    int

	// Droppers is the share of nodes that take part in everything and give
	// nothing: they send no message on, offer none, and have none in a sync.
	Droppers float64

	// Repair is the time between a node's rounds of sync; 0: none. Near and
	// Random are its partners by place and by chance; default 4 and 4.
	Repair       int
	Near, Random int

	// Cleave and Heal are when the network falls into two parts and is whole
	// again; both 0: never. Part is the share of the smaller part.
	Cleave, Heal int
	Part         float64

	// Away is the share of nodes that are offline once, for 5 to 25 s, while
	// messages are published.
	Away float64

	// Epoch is an epoch's length, 0: one for ever; at each the topic, the mesh
	// and the map are new. Skew is by how much nodes' clocks differ, at most.
	// After Horizon epochs a message is pruned; 0: never.
	Epoch, Skew, Horizon int

	// Until is when it ends at the latest; default 60 s after the last message.
	Until int
}

// MaxMessages is what the compact state has room for.
const MaxMessages = 64 * words

func (cfg *Config) defaults() {
	for _, f := range []struct {
		v   *int
		def int
	}{
		{&cfg.Every, 100},
		{&cfg.Links, 8},
		{&cfg.Degree, 6},
		{&cfg.DegreeLow, 5},
		{&cfg.DegreeHigh, 12},
		{&cfg.Median, 50},
		{&cfg.Hop, 2},
		{&cfg.Near, 4},
		{&cfg.Random, 4},
		{&cfg.Until, cfg.Messages*max(cfg.Every, 100) + 60_000},
	} {
		if *f.v == 0 {
			*f.v = f.def
		}
	}
	if cfg.Spread == 0 {
		cfg.Spread = 0.6
	}
}
