package postgres

import "time"

const (
	// oldest is the first version of Postgres that is accepted, as servers
	// number theirs: older ones get no more fixes.
	oldest = 140000

	// format is that of the tables. A newer one is refused.
	format = 1

	// readers is how many Views run at a time, each on a connection of its own.
	// Servers allow some hundred connections in all, for every gateway there is.
	readers = 8

	// connectTime is how long one attempt to connect may take, all of the hosts
	// of the URL together.
	connectTime = 5 * time.Second

	// answerTime is how long the server may take for one answer; that for its
	// lock includes the Updates of all others before it.
	answerTime = time.Minute

	// idleTime is how long a transaction may ask for nothing before the server
	// ends it: else a machine that vanished within an Update would keep all
	// others waiting for hours.
	idleTime = 30 * time.Second

	// settleTime is how long Update tries to learn whether what it wrote is
	// there, when the connection broke within its commit. A server that was
	// killed is back within seconds, one that fails over within half a minute.
	settleTime = 30 * time.Second

	// settlePause is the time between two such attempts.
	settlePause = 100 * time.Millisecond

	// undoTime is how long a rollback may take before the connection is closed
	// instead, which has the same effect.
	undoTime = 5 * time.Second

	// firstPage and maxPage are how many rows a Scan asks for at once, first and
	// at most; pageBytes is how much of them it holds. Writes are sent when they
	// are that much, too.
	firstPage = 32
	maxPage   = 1024
	pageBytes = 4 << 20

	// maxName bounds the name of a schema in Postgres.
	maxName = 63
)
