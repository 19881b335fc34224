package chain

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// What a server's answers can be wrong about. Each says what to do next; the
// text around it says what was asked.
var (
	// ErrUnreachable: no answer. The next try may have one.
	ErrUnreachable = errors.New("the chain's server does not answer; is it running, and its URL right?")

	// ErrBusy: the server wants to be asked less.
	ErrBusy = errors.New("the chain's server says that it is asked too much; wait, or use another one")

	// ErrAnswer: an answer in no form that JSON-RPC has.
	ErrAnswer = errors.New("the chain's server answers what is no JSON-RPC of Ethereum; is its URL right?")

	// ErrTooLarge: an answer, or what follows from it, is larger than anything
	// that is true.
	ErrTooLarge = errors.New("the chain's server answers more than there can be; use another one")

	// ErrChainID: the server is of another chain.
	ErrChainID = errors.New("the server is of another chain; use one of the chain that the world names")

	// ErrCode: the contract is another one than was agreed on.
	ErrCode = errors.New("the code at the contract's address is not the agreed one; check the address and the chain, and send nothing there")

	// ErrForeignLog: an event of another contract, or outside of the blocks that
	// were asked for.
	ErrForeignLog = errors.New("the chain's server gives events that were not asked for; use another one")

	// ErrRemovedLog: an event that the server itself calls undone.
	ErrRemovedLog = errors.New("the chain's server gives an event that was undone by a fork; use another one")

	// ErrInconsistent: answers that contradict each other, or what was read
	// before.
	ErrInconsistent = errors.New("the answers of the chain's server contradict each other; use another one")

	// ErrMoved: the chain changed between two questions. The next try is right.
	ErrMoved = errors.New("the chain forked while it was read")

	// ErrStale: the newest block is too old, or in the future.
	ErrStale = errors.New("the chain's server is not up to date, or this machine's clock is wrong")

	// ErrBehind: the newest block is older than what was confirmed.
	ErrBehind = errors.New("the chain's server is behind what it said before; wait, or use another one")

	// ErrDisagree: two servers were asked the same, and answer differently.
	ErrDisagree = errors.New("two servers do not say the same of the chain, so one of them is wrong; nothing counts until two agree")

	// ErrLookback: the server keeps too little of the log.
	ErrLookback = errors.New("the chain's server does not keep the log since the contract was made; use an archive server or a node of your own, once: what was read is kept")
)

// errSlow is of a question that took longer than callTimeout.
var errSlow = fmt.Errorf("no answer within %s: %w", callTimeout, ErrUnreachable)

// errNoBlock is of a height without a block: the future, or a null round.
var errNoBlock = errors.New("no block has this number")

// RefusedError is an error that the server answers by JSON-RPC.
type RefusedError struct {
	Method string
	Code   int
	Text   string // the server's, cut
	Data   []byte // what a contract gave as its reason
}

func (e *RefusedError) Error() string {
	return fmt.Sprintf("the chain's server refuses %s: %s (code %d)", e.Method, strconv.Quote(e.Text), e.Code)
}

// says reports whether the server's text has one of some words, which is all
// there is to tell one reason from another.
func (e *RefusedError) says(words ...string) bool {
	text := strings.ToLower(e.Text)
	for _, w := range words {
		if strings.Contains(text, w) {
			return true
		}
	}
	return false
}

// cut shortens what a server says.
func cut(s string) string {
	if len(s) > maxServerText {
		return strings.ToValidUTF8(s[:maxServerText], "") + "…"
	}
	return s
}
