package sandbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/culvert-net/culvert/internal/app/bridge"
	"github.com/culvert-net/culvert/internal/app/devchain/ready"
	"github.com/culvert-net/culvert/internal/app/gateway"
	"github.com/culvert-net/culvert/internal/app/selling"
	"github.com/culvert-net/culvert/internal/app/wallet"
	v3 "github.com/culvert-net/culvert/internal/app/wallet/v3"
	"github.com/culvert-net/culvert/internal/files"
	"github.com/culvert-net/culvert/ledger"
)

// chainPreset is the preset of a devchain.
const chainPreset = "dev"

// passphrase opens the wallets of a sandbox, whose keys are published. It is in
// passphraseFile, for commands to read.
const (
	passphrase     = "sandbox money is worth nothing"
	passphraseFile = "passphrase"
)

// Prices of a sandbox's providers, per million tokens: a word costs about a
// millionth of a coin, so that one answer is worth the gas of claiming it.
var (
	priceInput  = ledger.Wei(5e17)
	priceOutput = ledger.Wei(1e18)
)

// passphrasePath is where the passphrase is.
func (p *plan) passphrasePath() string { return filepath.Join(p.dir, passphraseFile) }

// prepareMoney gives the bridge and each provider one of the chain's accounts as
// its wallet, and the providers prices, unless an earlier run has.
func (p *plan) prepareMoney(ctx context.Context, chain *ready.File) error {
	if err := files.Write(p.passphrasePath(), []byte(passphrase+"\n"), files.Private); err != nil {
		return fmt.Errorf("preparing the wallets: %w", err)
	}
	for i, s := range append([]*spec{p.bridge}, p.providers...) {
		if i >= len(chain.Accounts) {
			return fmt.Errorf("preparing the wallets: the chain has %d accounts with money, one for each provider and one for the bridge; use fewer --providers, or --chain=false", len(chain.Accounts))
		}
		if err := p.prepareWallet(ctx, s, chain.Accounts[i]); err != nil {
			return fmt.Errorf("preparing %s's wallet: %w", s.name, err)
		}
		s.flags = append(s.flags, "--passphrase-file", p.passphrasePath())
	}
	for _, s := range p.providers {
		list := selling.List{Default: &selling.Price{Input: &priceInput, Output: &priceOutput}}
		path := filepath.Join(s.dir, selling.ListFile)
		if l, err := selling.ReadList(path); err == nil && (l.Default != nil || len(l.Models) > 0) {
			continue // what its owner has set
		}
		if err := list.Write(path); err != nil {
			return fmt.Errorf("preparing %s's prices: %w", s.name, err)
		}
	}
	return nil
}

func (p *plan) prepareWallet(ctx context.Context, s *spec, account ready.Account) error {
	key, err := wallet.ParseKey(account.Key)
	if err != nil {
		return err
	}
	c := wallet.Config{
		Data: s.dir, Sessions: s.program == programBridge, Cost: v3.Light(),
		From: &wallet.Passphrases{File: p.passphrasePath(), Flag: "--passphrase-file", Env: func(string) string { return "" }},
	}
	switch info, err := wallet.Look(c); {
	case errors.Is(err, wallet.ErrNone):
		_, err = wallet.Import(ctx, c, key)
		return err
	case err != nil:
		return err
	case info.Address != account.Address:
		return nil // its owner's own
	}
	return nil
}

// trade has each provider registered in the market, and the bridge buy from it, by
// the commands that people use. What an earlier run has done stays: it is noted
// beside the chain, since whoever deletes that deletes what was done on it.
func (p *plan) trade(ctx context.Context, chain *ready.File, deposit string) error {
	for i, s := range p.providers {
		err := p.once(s.name+" is registered", func() error { return p.command(ctx, gateway.Command(), s, "register") })
		if err != nil {
			return fmt.Errorf("registering %s: %w", s.name, err)
		}
		err = p.once("the bridge has bought from "+s.name, func() error {
			return p.command(ctx, bridge.Command(), p.bridge, "buy", chain.Accounts[1+i].Address.String(), deposit)
		})
		if err != nil {
			return fmt.Errorf("buying from %s: %w", s.name, err)
		}
	}
	return nil
}

// tradedFile is what was done on a chain, a line each.
const tradedFile = "traded"

// once does something that was not done on this chain before.
func (p *plan) once(what string, do func() error) error {
	path := filepath.Join(p.chain.dir, tradedFile)
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if slices.Contains(strings.Split(string(text), "\n"), what) {
		return nil
	}
	if err := do(); err != nil {
		return err
	}
	return files.Write(path, append(text, what+"\n"...), files.Private)
}

// command runs one on a node's data directory, before the node runs.
func (p *plan) command(ctx context.Context, c *cobra.Command, s *spec, args ...string) error {
	var out bytes.Buffer
	c.SetArgs(append(args, "--data", s.dir, "--yes", "--passphrase-file", p.passphrasePath()))
	c.SetIn(strings.NewReader(""))
	c.SetOut(&out)
	c.SetErr(&out)
	c.SilenceErrors, c.SilenceUsage = true, true
	if err := c.ExecuteContext(ctx); err != nil {
		return fmt.Errorf("%w\n%s", err, out.Bytes())
	}
	return nil
}
