package evmrpc

import (
	"time"

	"golang.org/x/time/rate"
)

const (
	// maxAnswer bounds an answer. The largest is a page of events; one that would be
	// larger is asked for in parts. A block cannot hold more: on Ethereum its gas buys
	// 2 MB of call data, which is 4 MB in hexadecimal.
	maxAnswer = 4 << 20

	// maxMessage is how much of what a node says of an error is passed on, and
	// maxReason of what a contract gave as its reason.
	maxMessage = 400
	maxReason  = 8 << 10
)

// Of a desk.
const (
	// maxStreams being served; more are told that there is no room.
	maxStreams = 64

	// maxAsked questions are with the node at a time: it has its owner's to answer too.
	maxAsked = 8

	// maxHeld bounds the answers that wait for circuits to take them, in bytes.
	maxHeld = 64 << 20

	// perSecond and burst are the questions of everybody together. A bridge asks five
	// in a block time, and a page of the log at a time when it begins.
	perSecond = rate.Limit(50)
	burst     = 200

	// questionLimit is how long a question may take to arrive: it is sent at once.
	questionLimit = 10 * time.Second

	// turnLimit is how long one waits for its turn at the node.
	turnLimit = 5 * time.Second

	// nodeLimit is how long the node may take; some end their own after 10 to 30 s.
	nodeLimit = 15 * time.Second

	// answerLimit is how long an answer may take to be read: 4 MiB at 1 Mbit/s.
	answerLimit = 40 * time.Second

	// probeTime is how often the node is looked at, and probeSoon how soon again
	// after a failure.
	probeTime = 30 * time.Second
	probeSoon = 5 * time.Second

	// maxMisses looks in a row fail before the node is no longer offered: a node may
	// publish few changes of its descriptor.
	maxMisses = 3
)

// Of a road.
const (
	// maxTries is how many providers one question goes to: each learns it.
	maxTries = 3

	// askLimit is how long a provider may take, so that another can be asked within
	// the time that ledger/chain gives a question: a node that is slow, and a circuit.
	askLimit = 20 * time.Second

	// silentFor, doubtedFor and wrongFor are for how long a provider is passed over
	// while there is another one: because it did not answer, because what was
	// read from it and another did not fit, or because it is of another chain or answers what
	// is no answer.
	silentFor  = time.Minute
	doubtedFor = 10 * time.Minute
	wrongFor   = time.Hour
)
