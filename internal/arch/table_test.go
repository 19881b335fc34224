package arch

// ban is one row of the import table.
type ban struct {
	who    []string // packages, as patterns
	except []string // packages of who that may
	what   []string // what they must not import
	but    []string // what of it they may
	why    string

	// tests says that test files must keep to it too.
	tests bool

	// through says that nothing they import may import it either, as far as
	// packages of this module go.
	through bool
}

// everyone is all packages of the module.
var everyone = []string{"api/...", "circuit/...", "mesh/...", "ledger/...", "contracts/...", "internal/...", "cmd/..."}

// pure packages compute: given the same input they do the same, now and in a
// simulation of a thousand nodes.
var pure = []string{"mesh/route/...", "mesh/recon/...", "mesh/rules/...", "mesh/terrain/...", "mesh/belief/...", "circuit/onion/...", "circuit/cell/...", "ledger", "ledger/curve", "internal/sim"}

// basics may be imported by every pillar.
var basics = []string{
	"internal/config/...", "internal/files/...", "internal/kv/...", "internal/peer/...", "internal/porch/...", "internal/redact/...",
	"internal/serve/...", "internal/telemetry/...", "internal/openapi/...",
}

// wiring joins pillars: the programs, and the tests that run whole programs or
// worlds.
var wiring = []string{"internal/app/...", "cmd/...", "internal/sim/...", "internal/bench/...", "internal/e2e/..."}

// members are the packages by which a program reads the control plane.
var members = []string{
	"mesh/roster/...", "mesh/eventlog/...", "mesh/gossip/...", "mesh/terrain/...", "mesh/recon/...", "mesh/seal/...",
	"internal/app/member/...",
}

// chainNode are the packages of go-ethereum that make a node, and that a
// client works without.
var chainNode = []string{
	"github.com/ethereum/go-ethereum/eth/...", "github.com/ethereum/go-ethereum/node", "github.com/ethereum/go-ethereum/core",
	"github.com/ethereum/go-ethereum/core/vm/...", "github.com/ethereum/go-ethereum/core/rawdb", "github.com/ethereum/go-ethereum/core/txpool/...",
	"github.com/ethereum/go-ethereum/miner/...", "github.com/ethereum/go-ethereum/p2p/...", "github.com/ethereum/go-ethereum/consensus/...",
	"github.com/ethereum/go-ethereum/ethclient/simulated", "github.com/ethereum/go-ethereum/cmd/...",
}

var table = []ban{
	{
		who: []string{"api/..."}, what: []string{"circuit/...", "mesh/...", "ledger/..."}, tests: true, through: true,
		why: "a request is answered without knowing how it travels, who is there or who pays; internal/app joins them",
	},
	{
		who: []string{"circuit/..."}, what: []string{"api/...", "mesh/...", "ledger/..."}, tests: true, through: true,
		why: "a relay must be unable to know what it carries",
	},
	{
		who: []string{"mesh/..."}, what: []string{"api/...", "circuit/...", "ledger/..."}, tests: true, through: true,
		why: "beliefs must be replayable from the log, and who is there must not depend on what is asked or paid",
	},
	{
		who: []string{"ledger/..."}, what: []string{"api/...", "circuit/...", "mesh/..."}, tests: true, through: true,
		why: "money is not counted by the thing that sells",
	},
	{
		who: everyone, except: []string{"mesh"}, what: []string{"github.com/libp2p/..."}, tests: true,
		why: "libp2p is 329 packages and its types spread: everything but the host stays testable in milliseconds",
	},
	{
		who: everyone, except: []string{"ledger", "ledger/chain/...", "ledger/curve", "contracts/market", "internal/app/devchain"}, what: []string{"github.com/ethereum/..."}, tests: true,
		why: "the Ethereum client is 93 packages; everything but the chain's door, the contract it knocks at, and the chain for trying it, works without one",
	},
	{
		who: everyone, except: []string{"internal/app/devchain", "cmd/devchain"}, what: chainNode, through: true,
		why: "a whole node is 60 MB of program; one program has it, and nobody who holds keys",
	},
	{
		who: everyone, except: []string{"cmd/devchain"}, what: []string{"internal/app/devchain"}, through: true,
		why: "the chain for trying is a process of its own, or part of a test: who starts one reads devchain/ready",
	},
	{
		who: everyone, except: []string{"ledger/curve"}, what: []string{"github.com/consensys/..."}, tests: true,
		why: "arithmetic on a curve is done in one place, on numbers that everybody may know",
	},
	{
		who: []string{"ledger/curve"}, what: []string{"github.com/ethereum/..."},
		why: "its tests compare it with go-ethereum's",
	},
	{
		who: []string{"ledger"}, what: []string{"github.com/ethereum/..."}, but: []string{"github.com/ethereum/go-ethereum/crypto"},
		why: "a signature needs the curve and Keccak, seven packages that open no connection; tests may compare with a wallet's code",
	},
	{
		who: []string{"contracts/..."}, what: []string{"github.com/ethereum/go-ethereum/eth/...", "github.com/ethereum/go-ethereum/node", "github.com/ethereum/go-ethereum/ethclient/...", "github.com/ethereum/go-ethereum/core/vm/..."},
		why: "who calls the contract brings a chain along; a whole one is linked into tests only",
	},
	{
		who: []string{"contracts/..."}, what: []string{"api/...", "circuit/...", "mesh/...", "internal/..."}, tests: true, through: true,
		why: "the contract knows what is signed and nothing of who serves or asks",
	},
	{
		who: []string{"ledger"}, what: []string{"internal/..."}, tests: true, through: true,
		why: "what is signed is the same bytes in every program, whatever it stores, logs or serves",
	},
	{
		who: []string{"ledger/channel"}, what: []string{"net/...", "internal/kv/..."}, but: []string{"internal/kv"},
		why: "a round is decided on records and a time that is passed in: who carries its bytes and what disk it lies on is another's business",
	},
	{
		who: []string{"circuit/..."}, what: []string{"net/http/...", "encoding/json/...", "encoding/xml/...", "html/...", "mime/..."}, through: true,
		why: "a circuit carries bytes; whoever can parse them can look at them",
	},
	{
		who: []string{"mesh"}, what: []string{"mesh/..."}, tests: true,
		why: "the host carries streams; what is said on them is its handlers' business",
	},
	{
		who: []string{"mesh/..."}, except: []string{"mesh", "mesh/meshtest"}, what: []string{"mesh"}, tests: true, through: true,
		why: "what the mesh knows must work on any stream, and in a simulation without libp2p",
	},
	{
		who: everyone, what: []string{"mesh/meshtest"},
		why: "a program has the real network only; the simulated one is for tests",
	},
	{
		who: everyone, what: []string{"internal/app/apptest"},
		why: "a program asks the person who is there; the one who types by himself is for tests",
	},
	{
		who: everyone, except: []string{"mesh/meshtest"}, what: []string{"github.com/marcopolo/..."}, tests: true,
		why: "one package knows how hosts are put on a simulated network",
	},
	{
		who: pure, what: []string{"net/...", "os/...", "time", "context", "log/...", "io/fs", "io/ioutil", "syscall", "sync/...", "runtime/..."}, but: []string{"net/netip"},
		why: "pure: no clock, no network, no goroutine, so that the same code runs in a simulation and gives the same result",
	},
	{
		who: basics, what: []string{"api/...", "circuit/...", "mesh/...", "ledger/...", "internal/app/...", "cmd/..."}, tests: true, through: true,
		why: "what every pillar may use must not know any of them, or they meet there",
	},
	{
		who: everyone, except: wiring, what: []string{"internal/app/...", "cmd/..."}, tests: true,
		why: "wiring is the end of the line: what a pillar needs of another is an interface it declares itself",
	},
	{
		who: []string{"cmd/..."}, what: []string{"api/...", "circuit/...", "mesh/...", "ledger/...", "contracts/...", "internal/..."}, but: []string{"internal/app/..."},
		why: "main parses, wires, waits: ten lines, and no logic",
	},
	{
		who: []string{"internal/app/gateway/...", "cmd/gateway/..."}, what: members, tests: true, through: true,
		why: "a provider must not read what others say of it: the gateway program has no member code at all",
	},
	{
		who: everyone, except: []string{"internal/kv/bolt", "mesh/eventlog"}, what: []string{"go.etcd.io/bbolt/..."}, tests: true,
		why: "what must survive is kept by internal/kv, so that it can be kept in another store; the event log alone has a million records, appends in bulk and whole epochs to drop, which need buckets of their own",
	},
	{
		who: everyone, except: []string{"internal/kv/postgres/..."}, what: []string{"github.com/jackc/..."}, tests: true,
		why: "a database is one way to keep what must survive: whoever keeps it asks internal/kv, and works on one file as well",
	},
	{
		who: everyone, what: []string{"internal/kv/kvtest", "internal/kv/postgres/pgtest"},
		why: "a program does not test its store, nor start a database",
	},
	{
		who: everyone, except: []string{"internal/openapi"}, what: []string{"github.com/santhosh-tekuri/jsonschema/..."}, tests: true,
		why: "answers are measured by OpenAI's description in one place, with the exceptions that are listed there",
	},
	{
		who: everyone, except: []string{"api/backend/backendtest/..."}, what: []string{"internal/openapi/..."},
		why: "a program that measures answers would have to refuse what clients cope with; tests measure",
	},
	{
		who: everyone, what: []string{"math/rand"}, tests: true,
		why: "math/rand/v2 is what we use for chance, and crypto/rand for secrets",
	},
	{
		who: everyone, what: []string{"github.com/pkg/errors", "github.com/sirupsen/...", "go.uber.org/zap/...", "github.com/golang/glog"}, tests: true,
		why: "one way to wrap errors (%w) and one to log (log/slog)",
	},
	{
		who: everyone, except: []string{"api/backend/backendtest/...", "internal/app/apptest", "internal/kv/kvtest", "internal/kv/postgres/pgtest", "internal/arch", "mesh/directory/dirtest", "mesh/event/eventtest", "mesh/meshtest"}, what: []string{"testing/..."},
		why: "production code does not know that it is tested",
	},
	{
		who: everyone, except: []string{"internal/serve"}, what: []string{"net/http/pprof", "expvar"},
		why: "importing it puts handlers on a global mux; there is one debug server, on its own port",
	},
	{
		who: everyone, except: []string{"internal/app/sandbox", "internal/bench/process", "internal/kv/postgres/pgtest", "api/backend/process/..."}, what: []string{"os/exec", "plugin"},
		why: "a node that can start programs is worth breaking into",
	},
	{
		who: everyone, what: []string{"unsafe", "C"},
		why: "input comes from strangers, and the programs are built without cgo",
	},
}

// layout is what may stand at the top of the repository and hold Go code.
// What is elsewhere would escape the table.
var layout = []string{"api", "circuit", "mesh", "ledger", "contracts", "internal", "cmd"}
