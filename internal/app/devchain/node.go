package devchain

import (
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"path/filepath"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/history"
	"github.com/ethereum/go-ethereum/core/rawdb"
	"github.com/ethereum/go-ethereum/eth"
	"github.com/ethereum/go-ethereum/eth/catalyst"
	"github.com/ethereum/go-ethereum/eth/ethconfig"
	"github.com/ethereum/go-ethereum/log"
	gethnode "github.com/ethereum/go-ethereum/node"
	"github.com/ethereum/go-ethereum/p2p"

	"github.com/culvert-net/culvert/internal/app"
)

// chainDir is where the node keeps its files, inside the data directory.
const chainDir = "chain"

// openNode starts a node without peers or servers of its own, and with it what says
// when a block is made. dir is the data directory; "" keeps the chain in memory.
func openNode(dir string, began *core.Genesis) (_ *gethnode.Node, _ *eth.Ethereum, _ *catalyst.SimulatedBeacon, err error) {
	cfg := gethnode.Config{
		Name: chainDir, DataDir: dir, P2P: p2p.Config{NoDiscovery: true, NoDial: true},
		Logger: log.NewLogger(slog.DiscardHandler), // it speaks of peers
	}
	if dir != "" {
		cfg.KeyStoreDir = filepath.Join(dir, chainDir, "keystore") // it insists on one
	}
	stack, err := gethnode.New(&cfg)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("starting the node: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, stack.Close())
		}
	}()
	backend, err := eth.New(stack, nodeConfig(began))
	if mismatch, ok := errors.AsType[*core.GenesisMismatchError](err); ok {
		return nil, nil, nil, app.Usage(fmt.Errorf("%s has a chain that began otherwise (%w); choose another directory with --data, or delete this one", dir, mismatch))
	}
	if err != nil {
		return nil, nil, nil, fmt.Errorf("opening the chain: %w", err)
	}
	if err := stack.Start(); err != nil {
		return nil, nil, nil, fmt.Errorf("starting the node: %w", err)
	}
	beacon, err := catalyst.NewSimulatedBeacon(0, common.Address{}, backend)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("starting the chain: %w", err)
	}
	return stack, backend, beacon, nil
}

// nodeConfig is a node that writes the state of each block, since one that keeps the
// newest in memory begins far back after it was killed.
func nodeConfig(began *core.Genesis) *ethconfig.Config {
	cfg := ethconfig.Defaults
	cfg.Genesis = began
	cfg.SyncMode = ethconfig.FullSync
	cfg.HistoryMode = history.HistoryPolicy{Mode: history.KeepAll}
	cfg.StateScheme, cfg.NoPruning = rawdb.HashScheme, true
	cfg.TransactionHistory, cfg.LogNoHistory = 0, true // all transactions; logs are found in receipts
	cfg.DatabaseCache, cfg.DatabaseHandles = databaseCache, databaseHandles
	cfg.TrieCleanCache, cfg.TrieDirtyCache, cfg.SnapshotCache = trieCache, 0, 0
	cfg.TxPool.NoLocals, cfg.TxPool.Journal = true, ""
	cfg.TxPool.PriceLimit, cfg.Miner.GasPrice = 1, big.NewInt(1) // who pays anything is served
	cfg.Miner.GasCeil = gasLimit
	cfg.BlobPool.Datadir = "" // in memory
	return &cfg
}
