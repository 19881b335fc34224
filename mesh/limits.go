package mesh

import (
	"fmt"
	"time"
)

// What one host accepts. The defaults are those of a relay; Config.Limits
// changes the first three.
const (
	// defaultConns bounds connections, and with them file descriptors. A relay
	// has one to each relay it extends to (hundreds) and one to each bridge it
	// is guard of (thousands).
	defaultConns = 3072

	// defaultStreams bounds streams over all connections. Each can make us
	// hold one receive window, so this is also the bound on memory: 16,384
	// windows of 256 KiB are 4 GiB, and QUIC's of 512 KiB twice that, if every
	// sender fills its own and nobody reads, which credit (docs/spec/circuit.md
	// "Streams") keeps from happening.
	defaultStreams = 16384

	// defaultPeerStreams bounds the streams of one peer in each direction. A
	// relay's peers are relays: all circuits that take one link come from the
	// same key, so this has to be in the thousands, not the tens.
	defaultPeerStreams = 4096

	// maxPeerConns bounds connections that one peer opened. Two nodes that dial each
	// other at the same moment have two for a while; a third may be one that is
	// dead and not yet noticed.
	maxPeerConns = 4

	// maxPendingConns bounds connections whose handshake is under way, so that
	// a flood of half-open ones costs at most that many.
	maxPendingConns = 512

	// maxPendingStreams bounds streams whose protocol is not named yet. A
	// thousand circuits may be built over a relay at once.
	maxPendingStreams = 4096

	// maxAddressConns bounds connections from one IPv4 address or IPv6 /56.
	// Providers put whole towns behind one address, so it is not a handful.
	maxAddressConns = 64

	// maxSiteConns bounds connections from one IPv6 /48, the usual size of an
	// organisation's network.
	maxSiteConns = 4 * maxAddressConns

	// maxAddressDials is how many dials over QUIC one address may get at once;
	// then it is addressConnRate. A dial that is not answered sends some 10 kB,
	// and whoever publishes a descriptor chooses where. TCP sends a few hundred
	// bytes and needs no such limit.
	maxAddressDials = 16

	// addressConnRate is how many connections per second one address may open
	// after its burst of maxAddressConns. Each costs us a handshake (~150 µs).
	addressConnRate = 2

	// identifyStreams and identifyPeerStreams bound libp2p's identify, which
	// answers anybody who asks.
	identifyStreams     = 512
	identifyPeerStreams = 8

	// serviceMemory is what libp2p's own services may reserve: identify takes
	// 8 KiB per message. Stream windows are counted in windowBudget instead.
	serviceMemory = 64 << 20
)

// Windows and frames of yamux, and the same of QUIC.
const (
	// streamWindow is what a stream may receive before we read: yamux's
	// protocol fixes the first window at 256 KiB.
	streamWindow = 256 << 10

	// maxStreamWindow is how far a window grows on long links: 512 KiB carry
	// 5 MB/s at 100 ms. libp2p's default of 16 MiB would let one stream cost
	// what 64 may. The same for QUIC, whose streams do not ask windowBudget.
	maxStreamWindow = 512 << 10

	// maxFrame is the largest yamux frame. It leaves room for Noise's tag and
	// length, so that a frame is one Noise message, one write and one 16 KiB
	// buffer. Larger ones are no faster here (16, 32 and 64 KiB: 0.9, 1.0 and
	// 0.85 GB/s, see BenchmarkStream), make the cells of other circuits wait,
	// and what is queued for a peer that does not read is 64 frames.
	maxFrame = 16<<10 - 18

	// streamBacklog is how many streams may be opened over a link before the
	// other side has acknowledged the first; Open waits beyond it.
	streamBacklog = 256

	// pingBacklog is how many unanswered pings we keep before dropping them.
	pingBacklog = 8
)

// Times.
const (
	// dialTimeout bounds a dial over all addresses of a peer, handshakes
	// included. A circuit under construction is given up after 5 s anyway.
	dialTimeout = 5 * time.Second

	// maxDials bounds dials that run, or failed less than redialAfter ago, each
	// to another node: twice what can be in its handshake. Whoever can make a
	// relay extend chooses among all nodes of the directory.
	maxDials = 2 * maxPendingConns

	// redialAfter is how long a failed dial's result is given to further
	// callers without dialling again. Whoever can make a relay extend cannot
	// make it knock at an address more often than this.
	redialAfter = time.Second

	// negotiateTimeout bounds how long a peer that opened a stream may take to
	// name its protocol.
	negotiateTimeout = 5 * time.Second

	// linkTimeout ends a link on which nothing could be written, or no ping was
	// answered, for so long.
	linkTimeout = 10 * time.Second

	// linkPing is how often an otherwise silent link is pinged, in both
	// profiles alike. Silence would hide nothing (TCP keeps the connection
	// alive by itself, and its existence is seen anyway), but a bridge would
	// learn only at the next request that its guard is gone.
	linkPing = 30 * time.Second

	// quicIdle ends a QUIC link from which nothing came for so long. Half of it
	// is how often a silent one is asked, as linkPing is for the others.
	quicIdle = linkPing + linkTimeout

	// quicAfter is how long the TCP addresses of a node are tried alone: a
	// handshake over a bad line, so that QUIC is what is taken without TCP.
	quicAfter = 750 * time.Millisecond

	// idleDialed is how long a link that we dialled stays open without streams.
	// idleAccepted is longer, so that the dialling side closes first and nobody
	// opens a stream into a link that the other end is just closing.
	idleDialed   = 5 * time.Minute
	idleAccepted = 2 * idleDialed

	// sweepEvery is how often idle links are looked for.
	sweepEvery = 30 * time.Second

	// complainEvery is how often reaching one and the same limit is logged.
	complainEvery = time.Minute
)

// Push: what members tell each other as it happens (docs/spec/push.md).
const (
	// MaxPush is the longest message: three events of the longest kind and what
	// seals them, one frame of a link's first window.
	MaxPush = 64 << 10

	// PushDegree is to how many peers a message is sent on, and PushDegreeLow and
	// PushDegreeHigh how far that may drift before it is mended. Six neighbours
	// reach 10,000 members in six steps; each more is one more copy of everything.
	PushDegree     = 6
	PushDegreeLow  = 5
	PushDegreeHigh = 12

	// pushDegreeOut is how many of them are peers that we dialled, so that who
	// dials us cannot be all that we hear.
	pushDegreeOut = 2

	// PushBeat is how often the mesh is mended and what was said lately is
	// offered to peers outside of it.
	PushBeat = time.Second

	// pushPeers bounds the peers that push to us: twice the links that a member
	// keeps and is kept by, and room for those who come beyond it.
	pushPeers = 64

	// pushPeerStreams is one, and one more while a new one takes its place.
	pushPeerStreams = 2

	// pushQueue bounds what waits for one peer, for validation and for a
	// subscriber. What is over is dropped and counted: repair brings it.
	pushQueue = 128

	// pushWorkers check what has come. Checking is computing, and leaves other
	// cores to circuits.
	pushWorkers = 2

	// pushBytes is what a peer may push per second, after pushBurst at once; a
	// message counts as no less than pushLeast. It is all of a busy world's
	// events, and half a second of a core if all of it were noise.
	pushBytes = 1 << 20
	pushBurst = 8 << 20
	pushLeast = 1 << 10

	// pushControl is what a peer may say per second beside messages (topics, whom it
	// sends what to, what it has), after pushControlBurst at once: what it has is 34
	// bytes for each of 5,000 messages, each second. All of it is read by the one loop
	// that also sends our own.
	pushControl      = 512 << 10
	pushControlBurst = 4 << 20

	// maxForged is how many messages that cannot be genuine a peer may bring
	// within pushBan. One comes from a fault; nobody passes one on. The peer is
	// heard no more for pushBan, as often as it takes.
	maxForged = 3
	pushBan   = 10 * time.Minute

	// pushTopics is how many topics a peer may be in at once: of two epochs and
	// two generations, and as many while they change. pushTopicChanges bounds
	// how many it enters within pushBan, since some memory stays with each name;
	// the shortest epoch is a minute. pushTopicName is the longest name.
	pushTopics       = 8
	pushTopicChanges = 64
	pushTopicName    = 128

	// pushTend is how often peers are looked at anew: members that were none
	// before, bans that have passed.
	pushTend = 10 * time.Second
)

// Links that members keep to each other.
const (
	// KeptLinks is how many links a member opens; as many are opened to it.
	// Fewer than PushDegree would leave the mesh to who dials us.
	KeptLinks = 8

	// linksEvery is how often lost links are replaced, linksAvoid how long a
	// member that could not be reached is left out.
	linksEvery = 5 * time.Second
	linksAvoid = time.Minute

	// linksTurn is how often one link is given up for another. Without it the
	// two parts of a network that was cut in two would stay apart for ever: each
	// has replaced its links to the other.
	linksTurn = time.Minute
)

// maxAddrs is how many addresses of one peer are tried. Descriptors may list
// more; a peer that is not at the first eight is not there.
//
// It is also how many connections to one peer there may be from here: those that
// are being made count, and with fewer the first silent addresses of a node
// would keep the one at which it is from being tried.
const maxAddrs = 8

// Limits are the bounds an operator may change. Zero means the default.
type Limits struct {
	Conns       int // connections of all kinds; default 3072
	Streams     int // streams over all connections, 256 KiB of memory each at worst; default 16384
	PeerStreams int // streams with one peer, each direction; default 4096
}

// withDefaults fills in the zero fields and refuses what cannot work.
func (l Limits) withDefaults() (Limits, error) {
	for _, f := range []struct {
		name string
		v    *int
		def  int
	}{
		{"Conns", &l.Conns, defaultConns},
		{"Streams", &l.Streams, defaultStreams},
		{"PeerStreams", &l.PeerStreams, defaultPeerStreams},
	} {
		switch {
		case *f.v < 0:
			return l, fmt.Errorf("limits: %s is negative", f.name)
		case *f.v == 0:
			*f.v = f.def
		}
	}
	l.PeerStreams = min(l.PeerStreams, l.Streams)
	return l, nil
}

// windowBudget is the memory that windows may grow by beyond their first
// 256 KiB, over all streams: an eighth of what the first windows may take.
func (l Limits) windowBudget() int64 { return int64(l.Streams) * streamWindow / 8 }
