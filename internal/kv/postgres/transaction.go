package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/culvert-net/culvert/internal/kv"
)

// begin returns a connection on which a transaction runs. Connections that
// broke while nobody used them are found here; nothing was done on them, so
// there is a second attempt, on a new one.
func (s *Store) begin(ctx context.Context, sql string) (*pgxpool.Conn, error) {
	for again := false; ; again = true {
		conn, err := s.pool.Acquire(ctx)
		if err != nil {
			return nil, err
		}
		if err = ask(ctx, func(ctx context.Context) error {
			_, err := conn.Conn().PgConn().Exec(ctx, sql).ReadAll()
			return err
		}); err == nil {
			return conn, nil
		}
		broken := conn.Conn().IsClosed()
		end(ctx, conn)
		if again || !broken || ctx.Err() != nil {
			return nil, err
		}
		s.pool.Reset()
	}
}

// end undoes what was not committed, and gives the connection back.
func end(ctx context.Context, conn *pgxpool.Conn) {
	defer conn.Release() // closes one that is still within a transaction
	if pg := conn.Conn().PgConn(); !pg.IsClosed() && pg.TxStatus() != idle {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoTime)
		defer cancel()
		_, _ = pg.Exec(ctx, "rollback").ReadAll()
	}
}

// idle is the state of a connection without a transaction, in the protocol.
const idle = 'I'

// commit is not cancelled: what became of it would be unknown.
func commit(ctx context.Context, conn *pgx.Conn) error {
	return ask(context.WithoutCancel(ctx), func(ctx context.Context) error {
		tag, err := conn.Exec(ctx, "commit", pgx.QueryExecModeSimpleProtocol)
		if err == nil && tag.String() != "COMMIT" {
			err = &refused{"it undid the transaction instead of committing it"}
		}
		return err
	})
}

// unknown reports whether an error of commit leaves open what became of it. An
// ERROR of the server means that it was undone; when it ends the connection
// (FATAL), or says nothing, it may have done its work before.
func unknown(err error) bool {
	if err == nil {
		return false
	}
	if _, ok := errors.AsType[*refused](err); ok {
		return false
	}
	said, ok := errors.AsType[*pgconn.PgError](err)
	return !ok || said.SeverityUnlocalized != "ERROR"
}

// settle learns what became of a commit whose answer was lost. The lock of
// Updates is only had when that transaction is over, and then this Store's row
// has its number, or does not.
func (s *Store) settle(ctx context.Context, lost error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.patience)
	defer cancel()
	for {
		s.pool.Reset()
		count, err := s.counted(ctx)
		switch {
		case err == nil && count == s.count:
			return nil
		case err == nil:
			return s.place.explain(ctx, lost)
		}
		select {
		case <-time.After(settlePause):
		case <-ctx.Done():
			return fmt.Errorf("%w (%w)", kv.ErrUncertain, s.place.explain(context.WithoutCancel(ctx), lost))
		}
	}
}

// counted is how many Updates of this Store the database has seen.
func (s *Store) counted(ctx context.Context) (count int64, err error) {
	conn, err := s.begin(ctx, s.sql.update)
	if err != nil {
		return 0, err
	}
	defer end(ctx, conn)
	err = ask(ctx, func(ctx context.Context) error {
		err := conn.QueryRow(ctx, s.sql.counted, s.id).Scan(&count)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		return err
	})
	return count, err
}

// failed is the error of a transaction that did not begin.
func (s *Store) failed(ctx context.Context, err error) error {
	if s.closed.Load() {
		return kv.ErrClosed
	}
	return s.place.explain(ctx, err)
}

// ask bounds one question to the server.
func ask(ctx context.Context, f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	return f(ctx)
}
