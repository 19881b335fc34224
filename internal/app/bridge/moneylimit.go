package bridge

import (
	"github.com/culvert-net/culvert/api/keys"
	"github.com/culvert-net/culvert/ledger"
)

// moneyLimit is a flag whose value is a limit of money.
type moneyLimit struct{ *keys.Amount }

// Type implements pflag.Value: the word for it in --help.
func (moneyLimit) Type() string { return "amount" }

// Set implements pflag.Value.
func (m moneyLimit) Set(text string) (err error) {
	*m.Amount, err = parseMoneyLimit(text)
	return err
}

// parseMoneyLimit reads what people write: "0.005 eth", "20 gwei" or a number of wei.
func parseMoneyLimit(text string) (keys.Amount, error) {
	a, err := ledger.ParseAmount(text)
	if err != nil {
		return keys.Amount{}, err
	}
	return keys.ParseAmount(a.String())
}
