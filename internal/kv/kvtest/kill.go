package kvtest

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"

	"github.com/culvert-net/culvert/internal/kv"
)

// Accounts between which Write moves amounts, and what they hold together.
const (
	accounts = 64
	total    = accounts * 1000
)

// Write writes to s until it fails, which it does when the process is killed.
// Each transaction moves an amount between two accounts, adds a line to a
// journal and counts; its number is written to done after Update has returned.
func Write(s kv.Store, done io.Writer) error {
	for {
		var n uint64
		err := s.Update(context.Background(), func(tx kv.Tx) (err error) {
			if n, err = number(tx, "meta", "count"); err != nil {
				return err
			}
			if n == 0 {
				for i := range accounts {
					if err := setNumber(tx, "accounts", account(i), total/accounts); err != nil {
						return err
					}
				}
			}
			n++
			if err := move(tx, account(rand.IntN(accounts)), account(rand.IntN(accounts))); err != nil {
				return err
			}
			// Lines of many sizes, so that pages split and are used again.
			line := make([]byte, rand.IntN(3000))
			if err := tx.Put("journal", binary.BigEndian.AppendUint64(nil, n), line); err != nil {
				return err
			}
			if n > journal {
				if err := tx.Delete("journal", binary.BigEndian.AppendUint64(nil, n-journal)); err != nil {
					return err
				}
			}
			return setNumber(tx, "meta", "count", n)
		})
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintln(done, n); err != nil {
			return err
		}
	}
}

// journal is how many lines are kept.
const journal = 40

func account(i int) string { return fmt.Sprintf("%03d", i) }

func move(tx kv.Tx, from, to string) error {
	a, err := number(tx, "accounts", from)
	if err != nil || a == 0 || from == to {
		return err
	}
	b, err := number(tx, "accounts", to)
	if err != nil {
		return err
	}
	amount := 1 + rand.Uint64N(a)
	if err := setNumber(tx, "accounts", from, a-amount); err != nil {
		return err
	}
	return setNumber(tx, "accounts", to, b+amount)
}

// Verify returns how many transactions of Write the store holds, and an error
// if one of them is there in part.
func Verify(s kv.Store) (count uint64, err error) {
	err = s.View(context.Background(), func(tx kv.Tx) error {
		if count, err = number(tx, "meta", "count"); err != nil {
			return err
		}
		sum, lines := uint64(0), uint64(0)
		err := tx.Scan("accounts", nil, func(_, value []byte) error {
			sum += binary.BigEndian.Uint64(value)
			return nil
		})
		if err != nil {
			return err
		}
		err = tx.Scan("journal", nil, func(key, _ []byte) error {
			lines++
			if n := binary.BigEndian.Uint64(key); n > count || n+journal <= count {
				return fmt.Errorf("line %d in the journal after %d transactions", n, count)
			}
			return nil
		})
		switch {
		case err != nil:
			return err
		case count > 0 && sum != total:
			return fmt.Errorf("the accounts hold %d together after %d transactions, want %d", sum, count, total)
		case lines != min(count, journal):
			return fmt.Errorf("%d lines in the journal after %d transactions", lines, count)
		}
		return nil
	})
	return count, err
}
