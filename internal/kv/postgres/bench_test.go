//go:build postgres

package postgres_test

import (
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/culvert-net/culvert/internal/kv/kvtest"
	"github.com/culvert-net/culvert/internal/kv/postgres"
	"github.com/culvert-net/culvert/internal/kv/postgres/pgtest"
)

func BenchmarkUpdate(b *testing.B) {
	s, err := postgres.Open(b.Context(), postgres.Config{URL: pgtest.New(b).URL(), Name: "bench"})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	kvtest.BenchUpdate(b, s)
}

// The way that was not taken, doing the same as BenchUpdate: serializable
// transactions, each tried again when the server finds that it met another.
func BenchmarkSerializable(b *testing.B) {
	config, err := pgxpool.ParseConfig(pgtest.New(b).URL())
	if err != nil {
		b.Fatal(err)
	}
	config.MaxConns = 9
	pool, err := pgxpool.NewWithConfig(b.Context(), config)
	if err != nil {
		b.Fatal(err)
	}
	defer pool.Close()
	if _, err := pool.Exec(b.Context(), `create table pairs (bucket text collate "C", key bytea, value bytea not null, primary key (bucket, key))`); err != nil {
		b.Fatal(err)
	}
	var last, retries atomic.Uint64
	value := make([]byte, 200)
	put := "insert into pairs values ($1, $2, $3) on conflict (bucket, key) do update set value = excluded.value"
	once := func(n uint64) error {
		return pgx.BeginTxFunc(b.Context(), pool, pgx.TxOptions{IsoLevel: pgx.Serializable}, func(tx pgx.Tx) error {
			var count []byte
			err := tx.QueryRow(b.Context(), "select value from pairs where bucket = 'meta' and key = 'count'").Scan(&count)
			if err != nil && !errors.Is(err, pgx.ErrNoRows) {
				return err
			}
			var batch pgx.Batch
			for i := range uint64(10) {
				batch.Queue(put, "records", fmt.Appendf(nil, "%08d", (n*10+i)%10_000), value)
			}
			batch.Queue(put, "meta", []byte("count"), []byte("another count"))
			return tx.SendBatch(b.Context(), &batch).Close()
		})
	}
	update := func() error {
		for n := last.Add(1); ; retries.Add(1) {
			err := once(n)
			if said, ok := errors.AsType[*pgconn.PgError](err); !ok || said.Code != "40001" && said.Code != "40P01" {
				return err
			}
		}
	}
	b.Run("alone", func(b *testing.B) {
		for b.Loop() {
			if err := update(); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("together", func(b *testing.B) {
		retries.Store(0)
		b.SetParallelism(4)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if err := update(); err != nil {
					b.Error(err)
				}
			}
		})
		b.ReportMetric(float64(retries.Load())/float64(b.N), "retries/op")
	})
}
