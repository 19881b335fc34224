// Package postgres is a kv.Store in a PostgreSQL database, for gateways of one
// provider that share what they know: a schema with one table of (bucket, key,
// value), where keys are ordered by their bytes.
//
// Open connects, refuses a server that cannot keep the promises of kv.Store (a
// replica, one without fsync, one older than 14), and makes the schema if it is
// not there; see kv.Store for the rest. Unlike with kv/bolt many programs may
// have one store open: an Update of one waits for those of the others, and
// nothing is ever kv.ErrLocked. Nobody else may write to the schema.
//
// An Update holds an advisory lock of the database, under a number made of the
// store's name. That the server would find conflicts itself (serializable
// transactions, f run again after each) was measured too, and is slower where
// Updates meet: docs/design/stores.md. Commits always wait for the disk.
//
// When the connection breaks within a commit, Update asks over a new one what
// became of it, by a row that each Store counts its Updates in. Only if no
// server answers for half a minute is the error kv.ErrUncertain.
//
// It knows nothing of what is stored. A Store may be used concurrently. No
// error contains the URL: it has a password.
//
// Implements: docs/conventions.md "Stores".
package postgres

import (
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/culvert-net/culvert/internal/kv"
)

// Config says where a store is.
type Config struct {
	// URL is that of the database, postgres://user:password@host:5432/database,
	// as all programs for Postgres have it. Another machine's wants
	// ?sslmode=verify-full.
	URL string

	// Name is the schema that holds the store, of a-z, 0-9 and _, so that
	// several share one database.
	Name string
}

// Store is an open store.
type Store struct {
	pool   *pgxpool.Pool
	place  place
	sql    statements
	id     []byte // of this Store's row among the writers
	closed atomic.Bool

	// Whoever has sent to one of these may have a connection: an Update never
	// waits for Views.
	reading chan struct{}
	writing chan struct{}

	// count is that of the commits that were tried. Owned by who is writing.
	count int64

	patience time.Duration // settleTime, but in tests; immutable
}

var _ kv.Store = (*Store)(nil)

// Open opens the store, and makes it if it is not there.
func Open(ctx context.Context, c Config) (*Store, error) {
	if err := checkName(c.Name); err != nil {
		return nil, err
	}
	config, err := parse(c.URL)
	if err != nil {
		return nil, err
	}
	config.MaxConns = readers + 1
	config.MinConns = 0
	config.ConnConfig.ConnectTimeout = connectTime
	config.ConnConfig.DialFunc = (&net.Dialer{KeepAliveConfig: net.KeepAliveConfig{
		Enable: true, Idle: 10 * time.Second, Interval: 5 * time.Second, Count: 4,
	}}).DialContext
	config.ConnConfig.RuntimeParams["application_name"] = "culvert"
	config.ConnConfig.RuntimeParams["idle_in_transaction_session_timeout"] = fmt.Sprint(idleTime.Milliseconds())
	config.ConnConfig.ValidateConnect = inspect // of several hosts the first that passes is taken
	pool, err := pgxpool.NewWithConfig(context.WithoutCancel(ctx), config)
	if err != nil {
		return nil, errURL
	}
	s := &Store{
		pool: pool, place: placeOf(c.Name, &config.ConnConfig.Config), sql: statementsOf(c.Name), id: make([]byte, 16),
		reading: make(chan struct{}, readers), writing: make(chan struct{}, 1), patience: settleTime,
	}
	_, _ = rand.Read(s.id) // never fails
	if err := s.prepare(ctx); err != nil {
		pool.Close()
		return nil, s.place.explain(ctx, err)
	}
	return s, nil
}

// CheckURL reports whether a URL can be that of a database. Its error does not quote
// it.
func CheckURL(url string) error {
	_, err := parse(url)
	return err
}

// parse reads a URL. Of forms that others read too, where a password stands between
// other words, none is taken.
func parse(url string) (*pgxpool.Config, error) {
	if !strings.HasPrefix(url, "postgres://") && !strings.HasPrefix(url, "postgresql://") {
		return nil, errURL
	}
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, errURL // pgx's own may quote it
	}
	// The name of the database is part of errors, and the rest of a password with a
	// slash in it would be taken for that.
	if strings.Contains(config.ConnConfig.Database, "@") {
		return nil, errURL
	}
	return config, nil
}

func checkName(name string) error {
	for i, c := range []byte(name) {
		if !('a' <= c && c <= 'z' || i > 0 && ('0' <= c && c <= '9' || c == '_')) {
			return fmt.Errorf("schema %q: its name has a-z, 0-9 and _, and begins with a letter", name)
		}
	}
	switch {
	case name == "" || len(name) > maxName:
		return fmt.Errorf("name of a schema of %d bytes: it has 1 to %d", len(name), maxName)
	case strings.HasPrefix(name, "pg_") || name == "information_schema" || name == "public":
		return fmt.Errorf("schema %q belongs to Postgres; name another", name)
	}
	return nil
}

// View implements kv.Store.
func (s *Store) View(ctx context.Context, f func(kv.Tx) error) error {
	return s.run(ctx, s.reading, s.view, f)
}

// Update implements kv.Store. The error wraps kv.ErrUncertain if the connection
// broke within the commit, and no server came back to say what became of it.
func (s *Store) Update(ctx context.Context, f func(kv.Tx) error) error {
	return s.run(ctx, s.writing, s.update, f)
}

// run runs a transaction when it is its turn.
func (s *Store) run(ctx context.Context, turn chan struct{}, how func(context.Context, func(kv.Tx) error) error, f func(kv.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case turn <- struct{}{}:
		defer func() { <-turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if s.closed.Load() {
		return kv.ErrClosed
	}
	return how(ctx, f)
}

func (s *Store) view(ctx context.Context, f func(kv.Tx) error) error {
	conn, err := s.begin(ctx, s.sql.view)
	if err != nil {
		return s.failed(ctx, err)
	}
	defer end(ctx, conn)
	return s.place.explain(ctx, call(ctx, &tx{sql: &s.sql, conn: conn.Conn()}, f))
}

func (s *Store) update(ctx context.Context, f func(kv.Tx) error) error {
	conn, err := s.begin(ctx, s.sql.update)
	if err != nil {
		return s.failed(ctx, err)
	}
	// Also after a panic of f; after a commit it only gives the connection back.
	held := conn
	defer func() {
		if held != nil {
			end(ctx, held)
		}
	}()
	t := &tx{sql: &s.sql, conn: conn.Conn(), writable: true}
	if err := call(ctx, t, f); err != nil {
		return s.place.explain(ctx, err)
	}
	if !t.wrote {
		return nil
	}
	s.count++
	t.pending.Queue(s.sql.count, s.id, s.count)
	if err := t.send(ctx); err != nil {
		return s.place.explain(ctx, err) // no commit was sent
	}
	err = commit(ctx, conn.Conn())
	if !unknown(err) {
		return s.place.explain(context.WithoutCancel(ctx), err)
	}
	held = nil
	end(ctx, conn)
	return s.settle(ctx, err)
}

// call runs f. The error is that of the server if there was one, since it has
// undone what came before: f cannot get over it.
func call(ctx context.Context, t *tx, f func(kv.Tx) error) error {
	t.ctx = ctx
	defer func() { t.over = true }()
	err := f(t)
	switch {
	case t.err != nil:
		return t.err
	case err != nil:
		return &ofCaller{err}
	}
	return ctx.Err()
}

// Close implements kv.Store.
func (s *Store) Close() error {
	s.closed.Store(true)
	s.pool.Close()
	return nil
}
