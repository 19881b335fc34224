package backend

// Purse is whose money a request may cost. Its methods may be called by any
// goroutine.
type Purse interface {
	// Afford returns nil if the request may cost something, else why not: an
	// *openai.Error, or an error that wraps one. It is asked before a provider
	// that wants money is, and never for what is free.
	Afford() error

	// Spent is told what a payment came to, once for each that cost something:
	// by the end of the answer or, if it is settled only later, any time after.
	Spent(Receipt)
}

// Receipt is what a request has cost.
type Receipt struct {
	ID   string // of the payment: a word of letters and digits, for the person who asked
	Cost string // in the smallest unit of the money that is paid in, a decimal number
}
