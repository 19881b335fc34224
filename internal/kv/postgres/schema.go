package postgres

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/culvert-net/culvert/internal/kv"
)

// statements is what a store asks the server, with its schema in it.
type statements struct {
	view, update                   string // that begin a transaction
	get, put, delete, scan         string
	count, counted                 string
	schemaThere, there             string
	makeSchema, makeTables, format string
	prune                          string
}

func statementsOf(name string) statements {
	schema := pgx.Identifier{name}.Sanitize()
	pairs, writers := schema+".pairs", schema+".writers"
	return statements{
		// What a View sees is fixed by its first question, not by the begin.
		view: "begin isolation level repeatable read read only; select 1",
		// Each statement after the lock sees all that was committed before it.
		update: "begin isolation level read committed read write; set local synchronous_commit to on; " +
			"select pg_advisory_xact_lock(" + strconv.FormatInt(lockOf(name), 10) + ")",
		get: "select value from " + pairs + " where bucket = $1 and key = $2",
		put: "insert into " + pairs + " (bucket, key, value) values ($1, $2, $3) " +
			"on conflict (bucket, key) do update set value = excluded.value",
		delete: "delete from " + pairs + " where bucket = $1 and key = $2",
		scan:   "select key, value from " + pairs + " where bucket = $1 and key >= $2 and key <= $3 order by key limit $4",
		count: "insert into " + writers + " (id, count, at) values ($1, $2, now()) " +
			"on conflict (id) do update set count = excluded.count, at = excluded.at",
		counted: "select count from " + writers + " where id = $1",

		schemaThere: "select exists (select from pg_namespace where nspname = '" + name + "')",
		there:       "select to_regclass('" + pairs + "') is not null",
		makeSchema:  "create schema " + schema,
		// No user's bucket has an empty name: there stands the format. C is the
		// order of bytes.
		makeTables: "create table " + pairs + ` (bucket text collate "C", key bytea, value bytea not null, primary key (bucket, key)); ` +
			"create table " + writers + " (id bytea primary key, count bigint not null, at timestamptz not null); " +
			"insert into " + pairs + ` values ('', 'format', '` + strconv.Itoa(format) + "')",
		format: "select value from " + pairs + " where bucket = '' and key = 'format'",
		// Of programs that are long gone.
		prune: "delete from " + writers + " where at < now() - interval '30 days'",
	}
}

// lockOf is the number of a store's lock. Two stores that had the same would
// wait for each other, and nothing else.
func lockOf(name string) int64 {
	sum := sha256.Sum256([]byte("culvert store\x00" + name))
	return int64(binary.BigEndian.Uint64(sum[:]))
}

// prepare makes the tables if they are not there. A schema that is there is
// used: then nobody but who made it needs the right to make schemas.
func (s *Store) prepare(ctx context.Context) error {
	conn, err := s.begin(ctx, s.sql.update)
	if err != nil {
		return err
	}
	defer end(ctx, conn)
	is := func(sql string) (yes bool) {
		if err == nil {
			err = conn.QueryRow(ctx, sql).Scan(&yes)
		}
		return yes
	}
	do := func(sql string) {
		if err == nil {
			_, err = conn.Exec(ctx, sql, pgx.QueryExecModeSimpleProtocol)
		}
	}
	if !is(s.sql.there) {
		if !is(s.sql.schemaThere) {
			do(s.sql.makeSchema)
		}
		do(s.sql.makeTables)
	}
	var found []byte
	if err == nil {
		err = conn.QueryRow(ctx, s.sql.format).Scan(&found)
	}
	if err == nil {
		err = checkFormat(found)
	}
	do(s.sql.prune)
	if err == nil {
		err = commit(ctx, conn.Conn())
	}
	return err
}

func checkFormat(found []byte) error {
	n, err := strconv.Atoi(string(found))
	switch {
	case err != nil || n < 1:
		return fmt.Errorf("%w: its format is %q", kv.ErrDamaged, found)
	case n > format:
		return &refused{fmt.Sprintf("the store has format %d, and this program knows up to %d; use a newer one", n, format)}
	}
	return nil
}

// facts is what a server says of itself.
type facts struct {
	version            int
	replica            bool
	readOnly, unsynced bool
}

// inspect refuses a server that a store cannot be on.
func inspect(ctx context.Context, conn *pgconn.PgConn) error {
	results, err := conn.Exec(ctx, "select current_setting('server_version_num'), pg_is_in_recovery(), "+
		"current_setting('default_transaction_read_only'), current_setting('fsync')").ReadAll()
	if err != nil {
		return err
	}
	if len(results) != 1 || len(results[0].Rows) != 1 || len(results[0].Rows[0]) != 4 {
		return errors.New("it does not answer as Postgres does")
	}
	said := results[0].Rows[0]
	version, err := strconv.Atoi(string(said[0]))
	if err != nil {
		return fmt.Errorf("it has version %q", said[0])
	}
	return facts{
		version: version, replica: !bytes.Equal(said[1], []byte("f")),
		readOnly: !bytes.Equal(said[2], []byte("off")), unsynced: !bytes.Equal(said[3], []byte("on")),
	}.check()
}

func (f facts) check() error {
	switch {
	case f.version < oldest:
		return &refused{fmt.Sprintf("the server is PostgreSQL %d, and %d is the oldest that is supported; upgrade it", f.version/10000, oldest/10000)}
	case f.replica:
		return &refused{"the server is a replica (in recovery): what it says may be old; name the primary in the URL"}
	case f.readOnly:
		return &refused{"the server only reads (default_transaction_read_only is on); set it off, for the user or the database"}
	case f.unsynced:
		return &refused{"the server does not wait for its disk (fsync is off), so what was paid could be forgotten; set fsync = on"}
	}
	return nil
}
