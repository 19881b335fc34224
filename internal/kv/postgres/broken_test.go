//go:build postgres

package postgres_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/culvert-net/culvert/internal/kv"
	"github.com/culvert-net/culvert/internal/kv/kvtest"
	"github.com/culvert-net/culvert/internal/kv/postgres"
	"github.com/culvert-net/culvert/internal/kv/postgres/pgtest"
)

// Whenever the process that writes is killed, the store holds whole
// transactions, among them all that were reported as done; and its lock is free.
func TestKilled(t *testing.T) {
	server := pgtest.New(t)
	place := t.TempDir()
	rounds, last := 12, uint64(0)
	for round := range rounds {
		cmd := exec.Command(os.Args[0], "-test.run=^TestKilledChild$")
		cmd.Env = append(os.Environ(), placeOfChild+"="+place, urlOfChild+"="+server.URL())
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		hang := time.AfterFunc(10*time.Second, func() { _ = cmd.Process.Kill() })
		reported, lines := uint64(0), bufio.NewScanner(out)
		for range rand.IntN(60) {
			if !lines.Scan() {
				t.Fatalf("round %d: the process ended by itself after %d", round, reported)
			}
			if reported, err = strconv.ParseUint(lines.Text(), 10, 64); err != nil {
				t.Fatalf("round %d: it said %q", round, lines.Text())
			}
		}
		time.Sleep(time.Duration(rand.IntN(int(3 * time.Millisecond)))) // anywhere within a transaction
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		for lines.Scan() { // what it had written to the pipe
			if n, err := strconv.ParseUint(lines.Text(), 10, 64); err == nil {
				reported = n
			}
		}
		_ = cmd.Wait() // says that it was killed
		hang.Stop()
		s := openAt(t, server.URL(), place)
		count, err := kvtest.Verify(s)
		if err != nil || count < reported || count < last {
			t.Fatalf("round %d: %d transactions, %v; %d were reported as done, and %d there before", round, count, err, reported, last)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		last = count
	}
	if last == 0 {
		t.Error("nothing was ever written")
	}
}

// reports takes what kvtest.Write reports, until it is told to stop.
type reports struct {
	last atomic.Uint64
	stop atomic.Bool
	seen chan struct{} // an element for each, while there is room
}

var errStopped = errors.New("stopped")

func (r *reports) Write(line []byte) (int, error) {
	n, err := strconv.ParseUint(strings.TrimSpace(string(line)), 10, 64)
	if err != nil {
		return 0, err
	}
	r.last.Store(n)
	select {
	case r.seen <- struct{}{}:
	default:
	}
	if r.stop.Load() {
		return 0, errStopped
	}
	return len(line), nil
}

// The server is killed at any moment of an Update, and started again: what
// Update said is what is there, to the transaction. The store goes on by itself.
func TestServerKilled(t *testing.T) {
	server := pgtest.New(t)
	s := openAt(t, server.URL(), "here")
	defer s.Close()
	failed := 0
	for round := range 12 {
		r := &reports{seen: make(chan struct{}, 1)}
		before, err := kvtest.Verify(s)
		if err != nil {
			t.Fatalf("round %d: Verify = %v", round, err)
		}
		r.last.Store(before)
		done := make(chan error, 1)
		go func() { done <- kvtest.Write(s, r) }()
		for range 1 + rand.IntN(20) {
			select {
			case <-r.seen:
			case err := <-done:
				t.Fatalf("round %d: Update = %v before the server was killed", round, err)
			case <-time.After(10 * time.Second):
				t.Fatalf("round %d: nothing is written", round)
			}
		}
		time.Sleep(time.Duration(rand.IntN(int(3 * time.Millisecond)))) // anywhere within a transaction
		server.End(t, syscall.SIGKILL)
		r.stop.Store(true)
		server.Start(t)
		select {
		case err = <-done:
		case <-time.After(40 * time.Second):
			t.Fatalf("round %d: Update does not return", round)
		}
		if !errors.Is(err, errStopped) {
			failed++
			if strings.Contains(err.Error(), pgtest.Password) {
				t.Errorf("round %d: the error has the password: %v", round, err)
			}
		}
		count, verr := kvtest.Verify(s)
		if verr != nil || count != r.last.Load() {
			t.Fatalf("round %d: %d transactions are there, %v; %d were reported, and then Update = %v", round, count, verr, r.last.Load(), err)
		}
	}
	t.Logf("%d of 12 Updates failed, and the others were settled", failed)
}

// wire is a proxy that breaks connections at a commit.
type wire struct {
	port   int
	to     string
	answer atomic.Bool // the commit reaches the server, and its answer nobody
	cut    atomic.Bool // connections break at their next commit
	away   atomic.Bool // no new ones are let through
	cuts   atomic.Int32
}

func newWire(t *testing.T, s *pgtest.Server) *wire {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{port: l.Addr().(*net.TCPAddr).Port, to: fmt.Sprintf("127.0.0.1:%d", s.Port)}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { w.carry(client) })
		}
	})
	t.Cleanup(func() { _ = l.Close(); wg.Wait() })
	return w
}

func (w *wire) carry(client net.Conn) {
	defer client.Close()
	if w.away.Load() {
		return
	}
	server, err := net.Dial("tcp", w.to)
	if err != nil {
		return
	}
	defer server.Close()
	var deaf atomic.Bool // what the server says goes nowhere
	said := make(chan struct{}, 1)
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() {
		defer client.Close()
		b := make([]byte, 64<<10)
		for {
			n, err := server.Read(b)
			if err != nil {
				return
			}
			if deaf.Load() {
				said <- struct{}{}
				return
			}
			if _, err := client.Write(b[:n]); err != nil {
				return
			}
		}
	})
	defer server.Close()
	b := make([]byte, 64<<10)
	for {
		n, err := client.Read(b)
		if err != nil {
			return
		}
		if bytes.Contains(b[:n], []byte("commit\x00")) && w.cut.CompareAndSwap(true, false) {
			w.cuts.Add(1)
			if w.answer.Load() {
				deaf.Store(true)
				if _, err := server.Write(b[:n]); err == nil {
					<-said
				}
			}
			return
		}
		if _, err := server.Write(b[:n]); err != nil {
			return
		}
	}
}

// When the connection breaks within a commit, Update finds out what became of
// it, whatever others wrote meanwhile.
func TestCommitIsSettled(t *testing.T) {
	server := pgtest.New(t)
	w := newWire(t, server)
	place := t.TempDir()
	url := fmt.Sprintf("postgres://culvert:%s@127.0.0.1:%d/postgres", pgtest.Password, w.port)
	s := openAt(t, url, place)
	defer s.Close()
	other := openAt(t, server.URL(), place)
	defer other.Close()
	for _, arrives := range []bool{true, false, true, false} {
		key := []byte(fmt.Sprint("k", w.cuts.Load()))
		w.answer.Store(arrives)
		w.cut.Store(true)
		err := s.Update(t.Context(), func(tx kv.Tx) error { return tx.Put("a", key, []byte("v")) })
		if (err == nil) != arrives {
			t.Errorf("the commit arrived: %t; Update = %v", arrives, err)
		}
		if err := other.Update(t.Context(), func(tx kv.Tx) error { return tx.Put("b", key, nil) }); err != nil {
			t.Errorf("another's Update after it = %v", err)
		}
		err = other.View(t.Context(), func(tx kv.Tx) error { _, err := tx.Get("a", key); return err })
		if there := err == nil; there != arrives {
			t.Errorf("the commit arrived: %t; the value is there: %t (%v)", arrives, there, err)
		}
	}
	if n := w.cuts.Load(); n != 4 {
		t.Errorf("%d connections were cut, want 4", n)
	}

	s.(*postgres.Store).SetPatience(time.Second)
	w.answer.Store(true)
	w.cut.Store(true)
	w.away.Store(true)
	err := s.Update(t.Context(), func(tx kv.Tx) error { return tx.Put("a", []byte("k"), nil) })
	if !errors.Is(err, kv.ErrUncertain) || strings.Contains(fmt.Sprintf("%v %+v", err, err), pgtest.Password) {
		t.Errorf("Update to a server that does not come back = %v, want ErrUncertain", err)
	}
	w.away.Store(false)
	if err := s.Update(t.Context(), func(tx kv.Tx) error { return tx.Put("a", []byte("k"), nil) }); err != nil {
		t.Errorf("Update after it came back = %v", err)
	}
}

// A function that passes over the error of a broken connection has written
// nothing, and is told.
func TestErrorIsNotPassedOver(t *testing.T) {
	server := pgtest.New(t)
	s := openAt(t, server.URL(), "here")
	defer s.Close()
	end := "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'culvert'"
	err := s.Update(t.Context(), func(tx kv.Tx) error {
		if err := tx.Put("a", []byte("k"), []byte("v")); err != nil {
			return err
		}
		server.Do(t, end)
		_, _ = tx.Get("a", []byte("other"))
		return nil
	})
	if err == nil {
		t.Error("Update of a transaction that the server ended = nil")
	}
	err = s.View(t.Context(), func(tx kv.Tx) error { _, err := tx.Get("a", []byte("k")); return err })
	if !errors.Is(err, kv.ErrNotFound) {
		t.Errorf("what it wrote = %v, want ErrNotFound", err)
	}
	server.Do(t, end) // a connection that nobody uses is replaced unseen
	if err := s.Update(t.Context(), func(tx kv.Tx) error { return tx.Put("a", []byte("k"), nil) }); err != nil {
		t.Errorf("Update after its idle connection was ended = %v", err)
	}
}

// Values too large to be held together are scanned all the same, in order.
func TestScanOfLargeValues(t *testing.T) {
	server := pgtest.New(t)
	s := openAt(t, server.URL(), "here")
	defer s.Close()
	large := bytes.Repeat([]byte("v"), kv.MaxValue)
	const large0, all = 10, 3000
	err := s.Update(t.Context(), func(tx kv.Tx) error {
		for i := range all {
			value := []byte{}
			if i < large0 || i == 2000 {
				value = large
			}
			if err := tx.Put("a", fmt.Appendf(nil, "%04d", i), value); err != nil {
				return err
			}
		}
		for i := range 100 { // keys of the greatest length, one after the other
			if err := tx.Put("long", append(bytes.Repeat([]byte{0xff}, kv.MaxKey-1), byte(156+i)), nil); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for bucket, want := range map[string]int{"a": all, "long": 100} {
		n, last := 0, ""
		err = s.View(t.Context(), func(tx kv.Tx) error {
			return tx.Scan(bucket, nil, func(key, _ []byte) error {
				if string(key) <= last {
					return fmt.Errorf("%q after %q", key, last)
				}
				n, last = n+1, string(key)
				return nil
			})
		})
		if err != nil || n != want {
			t.Errorf("Scan of %s = %v after %d keys, want %d", bucket, err, n, want)
		}
	}
}
