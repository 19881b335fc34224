package roster

import "errors"

// Reason is why a request to join is refused, as it travels.
type Reason uint32

// The reasons.
const (
	ReasonMalformed Reason = iota
	ReasonWorld
	ReasonInvite
	ReasonExpired
	ReasonUsed
	ReasonAttempts
	ReasonPhrase
	ReasonSignature
	ReasonFixed
	ReasonMember
	ReasonProvider
	ReasonTicket
	ReasonOpen
	ReasonFull
	ReasonForked
	ReasonUnavailable
	reasons
)

// String says what happened and what to do.
func (r Reason) String() string {
	if r >= reasons {
		return "a reason that this program does not know"
	}
	return [...]string{
		"the request cannot be read; is the program of the same version?",
		"the inviter is in another world",
		"the invite is not known; ask for a new one",
		"the invite has expired; ask for a new one",
		"the invite was used; each is good for one newcomer",
		"the invite was locked after too many wrong phrases; ask for a new one",
		"the phrase is not that of the invite",
		"the signature of the newcomer's key does not verify",
		"the invite is for another role or operator",
		"the key or wrap key is a member's already",
		"the key stands as a provider, and providers are no members",
		"the world wants a ticket, and it is missing or not good",
		"the world's mode needs the chain",
		"the world is full",
		"the roster has forked; its founders have to choose a branch first",
		"the inviter cannot answer now; try again later",
	}[r]
}

// reasonOf is what a newcomer is told of an error. What it does not concern is
// kept to ourselves.
func reasonOf(err error) Reason {
	for _, c := range []struct {
		err    error
		reason Reason
	}{
		{ErrProvider, ReasonProvider},
		{ErrMember, ReasonMember},
		{ErrWrapKey, ReasonMember},
		{ErrTicket, ReasonTicket},
		{ErrOpen, ReasonOpen},
		{ErrFull, ReasonFull},
		{ErrForked, ReasonForked},
	} {
		if errors.Is(err, c.err) {
			return c.reason
		}
	}
	return ReasonUnavailable
}
