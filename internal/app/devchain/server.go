package devchain

import (
	"fmt"
	"net"
	"slices"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/eth/filters"
	"github.com/ethereum/go-ethereum/rpc"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/devchain/ready"
	"github.com/culvert-net/culvert/internal/serve"
)

// namespaces are what of the node's API is served: reading the chain and sending
// transactions. The rest is for who runs a node.
var namespaces = []string{"eth", "net", "txpool"}

// server answers JSON-RPC on l, to programs of this machine: a page in a browser is
// refused by what browsers say of where a request is from, and by the name it calls
// this machine.
func (c *Chain) server(l net.Listener) (*serve.Server, error) {
	methods := rpc.NewServer()
	methods.SetBatchLimits(maxBatch, maxBatchAnswer)
	methods.SetHTTPBodyLimit(maxBody)
	all := slices.DeleteFunc(c.eth.APIs(), func(a rpc.API) bool { return !slices.Contains(namespaces, a.Namespace) })
	all = append(all,
		rpc.API{Namespace: "eth", Service: filters.NewFilterAPI(filters.NewFilterSystem(c.eth.APIBackend, filters.Config{}))},
		rpc.API{Namespace: "web3", Service: &webMethods{}},
		rpc.API{Namespace: "dev", Service: &devMethods{c}},
	)
	for _, a := range all {
		if err := methods.RegisterName(a.Namespace, a.Service); err != nil {
			return nil, fmt.Errorf("serving %s methods: %w", a.Namespace, err)
		}
	}
	return &serve.Server{
		Name: "JSON-RPC", Handler: serve.LocalOnly(methods), Listeners: []net.Listener{l}, Log: c.log, Connections: maxConnections,
	}, nil
}

// webMethods are web3_…, which tools ask first.
type webMethods struct{}

// ClientVersion says what answers.
func (*webMethods) ClientVersion() string { return "culvert-devchain/" + app.Version() }

// Sha3 is Keccak-256.
func (*webMethods) Sha3(input hexutil.Bytes) hexutil.Bytes { return crypto.Keccak256(input) }

// devMethods are dev_…, what no other chain lets one do.
type devMethods struct{ c *Chain }

// Ready is what is in the ready file.
func (m *devMethods) Ready() ready.File { return m.c.Ready() }

// Mine makes blocks and returns the newest one's hash.
func (m *devMethods) Mine(blocks int) (common.Hash, error) { return m.head(m.c.Mine(blocks)) }

// Advance moves the chain's clock and returns the hash of the block that says so.
func (m *devMethods) Advance(seconds int64) (common.Hash, error) {
	return m.head(m.c.advance(seconds))
}

// Rewind takes the newest blocks back, and with drop their transactions, and returns
// the hash of what is the newest then.
func (m *devMethods) Rewind(blocks int, drop *bool) (common.Hash, error) {
	return m.head(m.c.Rewind(blocks, drop != nil && *drop))
}

func (m *devMethods) head(err error) (common.Hash, error) {
	if err != nil {
		return common.Hash{}, err
	}
	return m.c.eth.BlockChain().CurrentBlock().Hash(), nil
}
