package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// errURL says nothing of what was found, which may be a password.
var errURL = errors.New("the URL of the database cannot be read; " +
	"it is postgres://user:password@host:5432/database, where a password's : / @ # ? and % are written %3A %2F %40 %23 %3F and %25")

// refused is the reason of this package to do without a server.
type refused struct{ why string }

func (r *refused) Error() string { return r.why }

// ofCaller is an error of the caller's function, which is passed on as it is.
type ofCaller struct{ err error }

func (o *ofCaller) Error() string { return o.err.Error() }

// place is what errors say of where a store is.
type place struct {
	schema, user, database, server string
	password                       string // which must not be in them
}

func placeOf(schema string, c *pgconn.Config) place {
	server := c.Host // the directory of a socket
	if !strings.HasPrefix(server, "/") {
		server = net.JoinHostPort(c.Host, fmt.Sprint(c.Port))
	}
	return place{schema: schema, user: c.User, database: c.Database, server: server, password: c.Password}
}

// Postgres' names of its errors that have an answer.
const (
	wrongPassword = "28P01"
	notAllowed    = "28000"
	noDatabase    = "3D000"
	noRight       = "42501"
	noTable       = "42P01"
	noSchema      = "3F000"
	tooMany       = "53300"
	diskFull      = "53100"
	starting      = "57P03"
	satIdle       = "25P03"
)

// explain says where an error happened and what to do about it.
func (p place) explain(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if own, ok := errors.AsType[*ofCaller](err); ok {
		return own.err
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	where := fmt.Sprintf("store %s in database %s of %s", p.schema, p.database, p.server)
	if refusal, ok := errors.AsType[*refused](err); ok {
		return fmt.Errorf("%s: %w", where, refusal)
	}
	if said, ok := errors.AsType[*pgconn.PgError](err); ok {
		return fmt.Errorf("%s: %s (%s)%s", where, p.mask(said.Message), said.Code, p.advice(said.Code))
	}
	if errors.Is(err, pgx.ErrNoRows) {
		return fmt.Errorf("%s: the schema has a table pairs that is no store's; name another schema", where)
	}
	if network, ok := errors.AsType[*net.OpError](err); ok && network.Op == "dial" {
		return fmt.Errorf("%s: %w; is PostgreSQL running there, and does it listen for this machine (listen_addresses)?", where, network)
	}
	// pgx's words, which are never the URL's; its errors are not passed on, as
	// they hold the configuration.
	return fmt.Errorf("%s: %s", where, p.mask(err.Error()))
}

func (p place) advice(code string) string {
	switch code {
	case wrongPassword:
		return fmt.Sprintf("; correct the password of user %s in the URL", p.user)
	case notAllowed:
		return fmt.Sprintf("; allow user %s in the server's pg_hba.conf", p.user)
	case noDatabase:
		return fmt.Sprintf("; make it: createdb -O %s %s", p.user, p.database)
	case noRight:
		return fmt.Sprintf("; as its owner: create schema %s authorization %s", p.schema, p.user)
	case noTable, noSchema:
		return "; somebody removed the store's tables while it was open: restore them and start again"
	case tooMany:
		return fmt.Sprintf("; raise max_connections: each program takes up to %d", readers+1)
	case diskFull:
		return "; make room on the server's disk"
	case starting:
		return "; try again in a moment"
	case satIdle:
		return fmt.Sprintf("; a transaction may do nothing for at most %s", idleTime)
	}
	return ""
}

func (p place) mask(text string) string {
	if p.password == "" {
		return text
	}
	return strings.ReplaceAll(text, p.password, "xxxxx")
}
