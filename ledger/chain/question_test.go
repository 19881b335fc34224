package chain

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/culvert-net/culvert/ledger"
)

// signedTx is a transaction as it is sent.
func signedTx(t *testing.T, key *ledger.Key, chain int64, to *common.Address, data []byte) string {
	t.Helper()
	tx, err := types.SignNewTx(key.ECDSA(), types.LatestSignerForChainID(big.NewInt(chain)), &types.DynamicFeeTx{
		ChainID: big.NewInt(chain), Gas: 1, To: to, Data: data, GasTipCap: big.NewInt(1), GasFeeCap: big.NewInt(1), Value: new(big.Int),
	})
	if err != nil {
		t.Fatal(err)
	}
	raw, err := tx.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	return hexutil.Encode(raw)
}

// What is passed on for others is what our own client asks of this contract, and
// nothing else. That all it asks is, every other test of this package shows: the
// server there refuses what is not.
func TestPassable(t *testing.T) {
	key := ledger.NewKey()
	self, contract, other := common.Address(key.Address()), common.Address{19: 1}, common.Address{19: 2}
	c := Config{Network: FilecoinNetwork(), Contract: ledger.Address(contract), Asset: ledger.Address{19: 3}}
	const chain = 314
	call := func(to common.Address, data string) string {
		return fmt.Sprintf(`{"from":"%s","to":"%s","value":"0x0","data":"%s"}`, self.Hex(), to.Hex(), data)
	}
	logs := func(a common.Address, from, to string, rest string) string {
		return fmt.Sprintf(`[{"address":"%s","fromBlock":"%s","toBlock":"%s"%s}]`, a.Hex(), from, to, rest)
	}
	legacy, err := types.SignNewTx(key.ECDSA(), types.LatestSignerForChainID(big.NewInt(chain)), &types.LegacyTx{To: &contract, Gas: 1, GasPrice: big.NewInt(1), Value: new(big.Int)})
	if err != nil {
		t.Fatal(err)
	}
	raw, err := legacy.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		method, params string
		passes         bool
	}{
		{"eth_chainId", `[]`, true},
		{"eth_chainId", `["latest"]`, false},
		{"eth_maxPriorityFeePerGas", `[]`, true},
		{"eth_getBlockByNumber", `["latest",false]`, true},
		{"eth_getBlockByNumber", `["0x10",false]`, true},
		{"eth_getBlockByNumber", `["0x10",true]`, false},
		{"eth_getBlockByNumber", `["pending",false]`, false},
		{"eth_getBlockByNumber", `["0x010",false]`, false},
		{"eth_getBlockByNumber", `["earliest",false]`, false},
		{"eth_getBlockByNumber", `["0x10"]`, false},
		{"eth_getBlockByNumber", `[null,false]`, false},
		{"eth_getBlockByNumber", `["0x10",false,1]`, false},
		{"eth_getLogs", logs(contract, "0x1", "0x2", ""), true},
		{"eth_getLogs", logs(contract, "0x1", hexutil.EncodeUint64(maxPassedRange), ""), true},
		{"eth_getLogs", logs(contract, "0x1", hexutil.EncodeUint64(maxPassedRange+1), ""), false},
		{"eth_getLogs", logs(contract, "0x0", "0xffffffffffffffff", ""), false},
		{"eth_getLogs", logs(contract, "0x2", "0x1", ""), false},
		{"eth_getLogs", logs(other, "0x1", "0x2", ""), false},
		{"eth_getLogs", logs(contract, "0x1", "0x2", `,"topics":[]`), false},
		{"eth_getLogs", `[{"fromBlock":"0x1","toBlock":"0x2"}]`, false},
		{"eth_getLogs", fmt.Sprintf(`[{"address":["%s"],"fromBlock":"0x1","toBlock":"0x2"}]`, contract.Hex()), false},
		{"eth_getCode", fmt.Sprintf(`["%s","latest"]`, contract.Hex()), true},
		{"eth_getCode", fmt.Sprintf(`["%s","0x1"]`, contract.Hex()), false},
		{"eth_getCode", fmt.Sprintf(`["%s","latest"]`, other.Hex()), false},
		{"eth_getBalance", fmt.Sprintf(`["%s","latest"]`, self.Hex()), true},
		{"eth_getTransactionCount", fmt.Sprintf(`["%s","pending"]`, self.Hex()), true},
		{"eth_getTransactionCount", `["0x1","pending"]`, false},
		{"eth_estimateGas", `[` + call(contract, "0x01") + `]`, true},
		{"eth_estimateGas", `[` + call(common.Address{19: 3}, "0x01") + `]`, true},
		{"eth_estimateGas", `[` + call(self, "0x") + `]`, true},
		{"eth_estimateGas", `[` + call(self, "0x01") + `]`, false},
		{"eth_estimateGas", `[` + call(other, "0x01") + `]`, false},
		{"eth_estimateGas", `[` + call(contract, "0x"+strings.Repeat("00", maxCallData+1)) + `]`, false},
		{"eth_estimateGas", `[` + call(contract, "0x01") + `,"latest",{}]`, false},
		{"eth_call", `[` + call(contract, "0x01") + `,"0x10"]`, true},
		{"eth_call", `[` + call(other, "0x01") + `,"0x10"]`, false},
		{"eth_call", `[` + call(contract, "0x01") + `,"0x10",{}]`, false},
		{"eth_sendRawTransaction", `["` + signedTx(t, key, chain, &contract, []byte{1}) + `"]`, true},
		{"eth_sendRawTransaction", `["` + signedTx(t, key, chain, &self, nil) + `"]`, true},
		{"eth_sendRawTransaction", `["` + signedTx(t, key, chain, &other, nil) + `"]`, false},
		{"eth_sendRawTransaction", `["` + signedTx(t, key, chain, nil, []byte{1}) + `"]`, false},
		{"eth_sendRawTransaction", `["` + signedTx(t, key, 1, &contract, []byte{1}) + `"]`, false},
		{"eth_sendRawTransaction", `["` + hexutil.Encode(raw) + `"]`, false},
		{"eth_sendRawTransaction", `["0x02"]`, false},
		{"eth_getTransactionReceipt", fmt.Sprintf(`["%s"]`, common.Hash{1}), true},
		{"eth_getTransactionByHash", fmt.Sprintf(`["%s"]`, common.Hash{1}), true},
		{"eth_getTransactionByHash", `["0x01"]`, false},
		{"eth_accounts", `[]`, false},
		{"eth_sign", `[]`, false},
		{"eth_blockNumber", `[]`, false},
		{"eth_getStorageAt", fmt.Sprintf(`["%s","0x0","latest"]`, contract.Hex()), false},
		{"debug_traceTransaction", fmt.Sprintf(`["%s"]`, common.Hash{1}), false},
		{"Filecoin.WalletList", `[]`, false},
	} {
		q, err := ParseQuestion([]byte(`{"method":"` + tt.method + `","params":` + tt.params + `}`))
		if err == nil {
			q, err = c.Passable(q)
		}
		if (err == nil) != tt.passes {
			t.Errorf("%s %s: %v", tt.method, tt.params, err)
		}
		if err != nil && strings.Contains(err.Error(), "0x") {
			t.Errorf("%s: the error repeats what was asked: %v", tt.method, err)
		}
		if err != nil && !errors.Is(err, ErrNotAsked) {
			t.Errorf("%s: %v", tt.method, err)
		}
		if err != nil {
			continue
		}
		again, err := c.Passable(q)
		if a, b := mustJSON(t, q), mustJSON(t, again); err != nil || a != b {
			t.Errorf("%s is passed on as %s, and that as %s, %v", tt.method, a, b, err)
		}
	}
}

func mustJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func FuzzQuestion(f *testing.F) {
	for _, seed := range []string{
		`{"method":"eth_chainId"}`, `{"method":"eth_chainId","params":[]}`, `{"method":"eth_getBlockByNumber","params":["latest",false]}`,
		`{"method":"eth_getLogs","params":[{"address":"0x0000000000000000000000000000000000000001","fromBlock":"0x1","toBlock":"0x2"}]}`,
		`{"method":"eth_chainId","id":1}`, `{}`, `[]`, `{"method":"eth_chainId"} {}`,
		`{"method":"eth_sendRawTransaction","params":["0x02f8"]}`,
	} {
		f.Add([]byte(seed))
	}
	c := Config{Network: FilecoinNetwork(), Contract: ledger.Address{19: 1}}
	f.Fuzz(func(t *testing.T, b []byte) {
		q, err := ParseQuestion(b)
		if err != nil {
			return
		}
		out, err := c.Passable(q)
		if err != nil {
			return
		}
		text, err := json.Marshal(out)
		if err != nil {
			t.Fatal(err)
		}
		again, err := ParseQuestion(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if out, err = c.Passable(again); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if next, err := json.Marshal(out); err != nil || string(next) != string(text) {
			t.Fatalf("%s becomes %s, %v", text, next, err)
		}
	})
}
