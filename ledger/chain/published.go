package chain

import (
	"errors"
	"fmt"
	"slices"

	"github.com/culvert-net/culvert/ledger"
)

// ErrPublishedKey is of a wallet whose key anybody can look up.
var ErrPublishedKey = errors.New("the key of this wallet is published for development, so anybody can take what is sent to it; use a key of your own")

// checkKey refuses wallets whose keys are published, but on a chain of this
// machine.
func checkKey(a ledger.Address, n Network) error {
	if n.Dev && n.ChainID == devChainID || !IsPublished(a) {
		return nil
	}
	return fmt.Errorf("%s: %w", n.Address(a), ErrPublishedKey)
}

// IsPublished reports whether the key of an address is one that development
// tools publish: the first twenty of "test test … junk" (Hardhat, Anvil,
// Foundry), the first ten of "candy maple …" (Truffle), the account of
// geth --dev, the account that deploys the market on every devchain, and the keys
// of the numbers 1 to 3.
func IsPublished(a ledger.Address) bool {
	return slices.Contains(published(), a.String())
}

func published() []string {
	return []string{
		"0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266", "0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
		"0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC", "0x90F79bf6EB2c4f870365E785982E1f101E93b906",
		"0x15d34AAf54267DB7D7c367839AAf71A00a2C6A65", "0x9965507D1a55bcC2695C58ba16FB37d819B0A4dc",
		"0x976EA74026E726554dB657fA54763abd0C3a0aa9", "0x14dC79964da2C08b23698B3D3cc7Ca32193d9955",
		"0x23618e81E3f5cdF7f54C3d65f7FBc0aBf5B21E8f", "0xa0Ee7A142d267C1f36714E4a8F75612F20a79720",
		"0xBcd4042DE499D14e55001CcbB24a551F3b954096", "0x71bE63f3384f5fb98995898A86B02Fb2426c5788",
		"0xFABB0ac9d68B0B445fB7357272Ff202C5651694a", "0x1CBd3b2770909D4e10f157cABC84C7264073C9Ec",
		"0xdF3e18d64BC6A983f673Ab319CCaE4f1a57C7097", "0xcd3B766CCDd6AE721141F452C550Ca635964ce71",
		"0x2546BcD3c84621e976D8185a91A922aE77ECEc30", "0xbDA5747bFD65F08deb54cb465eB87D40e51B197E",
		"0xdD2FD4581271e230360230F9337D5c0430Bf44C0", "0x8626f6940E2eb28930eFb4CeF49B2d1F2C9C1199",
		"0x627306090abaB3A6e1400e9345bC60c78a8BEf57", "0xf17f52151EbEF6C7334FAD080c5704D77216b732",
		"0xC5fdf4076b8F3A5357c5E395ab970B5B54098Fef", "0x821aEa9a577a9b44299B9c15c88cf3087F3b5544",
		"0x0d1d4e623D10F9FBA5Db95830F7d3839406C6AF2", "0x2932b7A2355D6fecc4b5c0B6BD44cC31df247a2e",
		"0x2191eF87E392377ec08E7c08Eb105Ef5448eCED5", "0x0F4F2Ac550A1b4e2280d04c21cEa7EBD822934b5",
		"0x6330A553Fc93768F612722BB8c2eC78aC90B3bbc", "0x5AEDA56215b167893e80B4fE645BA6d5Bab767DE",
		"0x71562b71999873DB5b286dF957af199Ec94617F7", "0x7381042aA873742D0473228F4431491b13EDd951",
		"0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf", "0x2B5AD5c4795c026514f8317c7a215E218DcCD6cF",
		"0x6813Eb9362372EEF6200f3b1dbC3f819671cBA69",
	}
}
