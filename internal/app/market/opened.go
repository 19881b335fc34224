package market

import (
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/culvert-net/culvert/ledger"
	"github.com/culvert-net/culvert/ledger/channel"
)

// Opened is one round with all that proves it to somebody else: that the session
// key has promised to pay for it, and what the provider said of it.
type Opened struct {
	ChainID  uint64           `json:"chain_id"`
	Contract ledger.Address   `json:"contract"`
	Provider ledger.Address   `json:"provider"`
	Key      ledger.Address   `json:"session_key"`
	Channel  ledger.ChannelID `json:"channel"`
	Epoch    uint32           `json:"epoch"`
	Model    string           `json:"model"`
	Opened   time.Time        `json:"opened"`
	Ended    time.Time        `json:"ended"`
	Leaf     Leaf             `json:"leaf"`
	LeafHash ledger.Hash      `json:"leaf_hash"`
	Index    uint64           `json:"index"`
	Size     uint64           `json:"size"`
	Proof    []ledger.Hash    `json:"proof"`
	Salt     string           `json:"salt"`             // keys the hashes of request and response
	Voucher  string           `json:"voucher"`          // signed, in ledger's encoding, hexadecimal
	Result   string           `json:"result,omitempty"` // the provider's, likewise; "": there is none
	Second   string           `json:"second,omitempty"` // another result of the round that the provider signed; "": it said one thing only
}

// Leaf is ledger.Leaf as JSON.
type Leaf struct {
	Round    ledger.RoundID `json:"round"`
	Seq      uint64         `json:"seq"`
	Request  ledger.Hash    `json:"request_hash"`
	Response ledger.Hash    `json:"response_hash"`
	Input    uint64         `json:"input"`
	Cached   uint64         `json:"cached"`
	Output   uint64         `json:"output"`
	Cost     ledger.Amount  `json:"cost"`
	Status   ledger.Status  `json:"status"`
}

func opened(o channel.Opening, d ledger.Domain, key ledger.Address) Opened {
	out := Opened{
		ChainID: d.ChainID, Contract: d.Contract, Provider: o.Info.Provider, Key: key, Channel: o.Info.Channel, Epoch: o.Info.Epoch,
		Model: o.Info.Model, Opened: o.Info.Opened, Ended: o.Info.Ended,
		Leaf: Leaf{
			o.Leaf.RoundID, o.Leaf.Seq, o.Leaf.RequestHash, o.Leaf.ResponseHash, o.Leaf.Input, o.Leaf.Cached, o.Leaf.Output,
			o.Leaf.Cost, o.Leaf.Status,
		},
		LeafHash: o.Leaf.Hash(), Index: o.Index, Size: o.Size, Proof: o.Proof,
		Salt: hex.EncodeToString(o.Salt[:]), Voucher: hex.EncodeToString(o.Voucher.Bytes()),
	}
	if o.Proof == nil {
		out.Proof = []ledger.Hash{} // the only leaf
	}
	if o.Result != nil {
		out.Result = hex.EncodeToString(o.Result.Bytes())
	}
	if w := o.Words; w != nil {
		out.Result, out.Second = hex.EncodeToString(w.First.Bytes()), hex.EncodeToString(w.Second.Bytes())
	}
	return out
}

// Checked is what an Opened proves.
type Checked struct {
	Cumulative ledger.Amount // that the voucher promises in all, for the rounds of its log
	Agreed     bool          // the provider signed the same cost, usage and hashes
	Signed     *ledger.Result
	Second     *ledger.Result // another that it signed; nil: it said one thing only
}

// Check verifies an Opened by what is in it alone. It shows that the session key has
// promised to pay for the round among those of the voucher's log, and that the
// provider signed the result; not whose key it is: the channel is in the contract.
func (o *Opened) Check() (Checked, error) {
	domain := ledger.Domain{ChainID: o.ChainID, Contract: o.Contract}
	voucher, err := decodeHex[ledger.Voucher](o.Voucher)
	if err != nil {
		return Checked{}, fmt.Errorf("the voucher: %w", err)
	}
	leaf := ledger.Leaf{
		RoundID: o.Leaf.Round, Seq: o.Leaf.Seq, RequestHash: o.Leaf.Request, ResponseHash: o.Leaf.Response, Input: o.Leaf.Input,
		Cached: o.Leaf.Cached, Output: o.Leaf.Output, Cost: o.Leaf.Cost, Status: o.Leaf.Status,
	}
	proof := channel.Opening{Leaf: leaf, Index: o.Index, Size: o.Size, Proof: o.Proof, Voucher: voucher}
	if err := proof.Verify(domain, o.Key); err != nil {
		return Checked{}, fmt.Errorf("the round is not in what the session key promised: %w", err)
	}
	if m := voucher.Message; m.Channel != o.Channel || m.Epoch != o.Epoch {
		return Checked{}, errors.New("the voucher is of another channel or epoch")
	}
	out := Checked{Cumulative: voucher.Message.Cumulative}
	if o.Result == "" {
		if o.Second != "" {
			return Checked{}, errors.New("there is a second result and no first")
		}
		return out, nil
	}
	result, err := decodeHex[ledger.Result](o.Result)
	if err != nil {
		return Checked{}, fmt.Errorf("the result: %w", err)
	}
	r := result.Message
	signer, err := result.Signer(domain)
	if err != nil || signer != o.Provider || r.Channel != o.Channel || r.Epoch != o.Epoch || r.RoundID != leaf.RoundID {
		return Checked{}, errors.New("the result is not this provider's word about this round")
	}
	out.Signed = &r
	out.Agreed = r.RequestHash == leaf.RequestHash && r.ResponseHash == leaf.ResponseHash && r.Input == leaf.Input && r.Cached == leaf.Cached &&
		r.Output == leaf.Output && r.Cost == leaf.Cost && r.Status == leaf.Status
	if o.Second == "" {
		return out, nil
	}
	second, err := decodeHex[ledger.Result](o.Second)
	if err != nil {
		return Checked{}, fmt.Errorf("the second result: %w", err)
	}
	if signer, err := channel.Contradict(domain, result, second); err != nil || signer != o.Provider {
		return Checked{}, errors.New("the second result does not contradict the first")
	}
	out.Second = &second.Message
	return out, nil
}

func decodeHex[M ledger.Voucher | ledger.Release | ledger.Close | ledger.Request | ledger.Result](text string) (s ledger.Signed[M], err error) {
	b, err := hex.DecodeString(text)
	if err != nil {
		return s, err
	}
	return ledger.DecodeSigned[M](b)
}
