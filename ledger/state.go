package ledger

// Channel is what the contract holds of one channel.
type Channel struct {
	ID        ChannelID
	Provider  Address
	Key       Address // whose vouchers count: the session's
	Funder    Address // who bought, and gets what is left back
	Epoch     uint32  // rises with each close; vouchers of earlier ones are worth nothing
	Deposited Amount
	Claimed   Amount
	Locked    Amount // the provider's unit price when it was bought, wei per million standard output tokens
	CloseAt   uint64 // Unix seconds from which it can be refunded; zero: nobody asked for that
}

// Remaining is what was deposited and not claimed.
func (c Channel) Remaining() Amount {
	left, err := c.Deposited.Sub(c.Claimed)
	if err != nil {
		return Amount{}
	}
	return left
}

// Provider is what the contract holds of one provider.
type Provider struct {
	Address    Address
	Payout     Address // where withdrawals go unless said otherwise
	Price      Amount  // wei per million standard output tokens
	Sequence   uint64  // rises with each update
	Descriptor []byte  // as registered; its Keccak-256 is in the contract
	Content    Hash    // optional: a content id's digest
	Bond       Amount
	BondUntil  uint64 // Unix seconds
	Exited     bool   // sells no more; what was bought stays good
}
