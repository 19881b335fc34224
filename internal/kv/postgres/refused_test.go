//go:build postgres

package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/culvert-net/culvert/internal/kv"
	"github.com/culvert-net/culvert/internal/kv/postgres"
	"github.com/culvert-net/culvert/internal/kv/postgres/pgtest"
)

// tryOpen opens a store that should be refused, and closes it if it is not.
func tryOpen(url, name string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	s, err := postgres.Open(ctx, postgres.Config{URL: url, Name: name})
	if err == nil {
		_ = s.Close()
	}
	return err
}

func wantRefused(t *testing.T, name string, err error, said ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("%s: Open = nil", name)
		return
	}
	for _, part := range said {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%s: Open = %v, want %q", name, err, part)
		}
	}
	for e := err; e != nil; e = errors.Unwrap(e) {
		if text := fmt.Sprintf("%v %+v %#v", e, e, e); strings.Contains(text, "canary") {
			t.Errorf("%s: the error has the password: %s", name, text)
		}
	}
}

// What is wrong is named, with what to do next, and never with a secret.
func TestRefused(t *testing.T) {
	s := pgtest.New(t)
	s.Do(t, "create user poor password 'canary-poor'; create schema foreigner; create table foreigner.pairs (bucket text, key bytea, value bytea); "+
		"create schema given authorization poor")
	address := fmt.Sprintf("127.0.0.1:%d", s.Port)
	wantRefused(t, "password", tryOpen(s.URLOf("culvert", "canary-wrong", "postgres"), "a"), address, "correct the password of user culvert")
	wantRefused(t, "user", tryOpen(s.URLOf("nobody", pgtest.Password, "postgres"), "a"), address, "user nobody")
	wantRefused(t, "database", tryOpen(s.URLOf("culvert", pgtest.Password, "none"), "a"), address, "createdb -O culvert none")
	wantRefused(t, "right", tryOpen(s.URLOf("poor", "canary-poor", "postgres"), "a"), "create schema a authorization poor")
	wantRefused(t, "table of others", tryOpen(s.URL(), "foreigner"), "name another schema")
	wantRefused(t, "TLS", tryOpen(s.URL()+"?sslmode=require", "a"), address, "TLS")
	if err := tryOpen(s.URLOf("poor", "canary-poor", "postgres"), "given"); err != nil {
		t.Errorf("Open of a schema that was made for the user = %v", err)
	}

	// A store that was open is named when it is gone.
	open, err := postgres.Open(t.Context(), postgres.Config{URL: s.URL(), Name: "b"})
	if err != nil {
		t.Fatal(err)
	}
	defer open.Close()
	put := func(tx kv.Tx) error { return tx.Put("a", []byte("k"), nil) }
	s.Do(t, "update b.pairs set value = '2' where bucket = ''")
	wantRefused(t, "format", tryOpen(s.URL(), "b"), "format 2", "newer")
	s.Do(t, "drop schema b cascade")
	wantRefused(t, "dropped", open.Update(t.Context(), put), "restore them")

	s.Do(t, "alter user culvert set default_transaction_read_only = on")
	wantRefused(t, "only reads", tryOpen(s.URL(), "a"), "default_transaction_read_only")
	s.End(t, syscall.SIGINT)
	wantRefused(t, "no server", tryOpen(s.URL(), "a"), address, "is PostgreSQL running there")
	wantRefused(t, "server gone", open.Update(t.Context(), put), address, "is PostgreSQL running there")
	s.Start(t, "fsync=off", "default_transaction_read_only=off")
	s.Do(t, "begin read write; alter user culvert reset default_transaction_read_only; commit")
	wantRefused(t, "fsync", tryOpen(s.URL(), "a"), "fsync is off")
}

// A replica is not asked, neither when a store is opened nor later.
func TestReplica(t *testing.T) {
	s := pgtest.New(t)
	open, err := postgres.Open(t.Context(), postgres.Config{URL: s.URL(), Name: "a"})
	if err != nil {
		t.Fatal(err)
	}
	defer open.Close()
	s.End(t, syscall.SIGINT)
	if err := os.WriteFile(filepath.Join(s.Dir, "data", "standby.signal"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	s.Start(t)
	wantRefused(t, "replica", tryOpen(s.URL(), "a"), "is a replica (in recovery)", "name the primary")
	wantRefused(t, "View of a replica", open.View(t.Context(), func(kv.Tx) error { return nil }), "is a replica (in recovery)")
}

// Stores in one database know nothing of each other.
func TestNamesApart(t *testing.T) {
	s := pgtest.New(t)
	for _, name := range []string{"one", "user"} { // the second is a word of SQL
		store, err := postgres.Open(t.Context(), postgres.Config{URL: s.URL(), Name: name})
		if err != nil {
			t.Fatal(err)
		}
		defer store.Close()
		err = store.Update(t.Context(), func(tx kv.Tx) error {
			if _, err := tx.Get("a", []byte("k")); !errors.Is(err, kv.ErrNotFound) {
				t.Errorf("Get in %s = %v, want ErrNotFound", name, err)
			}
			return tx.Put("a", []byte("k"), nil)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// Whatever the URL, the user or the database say, a commit waits for the disk.
func TestCommitsWait(t *testing.T) {
	s := pgtest.New(t)
	s.Do(t, "alter user culvert set synchronous_commit = off; alter database postgres set synchronous_commit = off; "+
		"create table seen (setting text); create function see() returns trigger language plpgsql as "+
		"$$ begin insert into public.seen values (current_setting('synchronous_commit')); return new; end $$")
	store, err := postgres.Open(t.Context(), postgres.Config{URL: s.URL() + "?synchronous_commit=off&options=-c%20synchronous_commit%3Doff", Name: "a"})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	s.Do(t, "create trigger see after insert on a.pairs execute function see()")
	if err := store.Update(t.Context(), func(tx kv.Tx) error { return tx.Put("a", []byte("k"), nil) }); err != nil {
		t.Fatal(err)
	}
	s.Do(t, "do $$ begin if (select count(*) from seen where setting = 'on') <> 1 then raise 'not on'; end if; end $$")
}
