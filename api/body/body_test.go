package body_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/culvert-net/culvert/api/body"
)

func TestRead(t *testing.T) {
	const most = 100_000
	for _, size := range []int{0, 1, 1023, 4 << 10, 4<<10 + 1, 16 << 10, 64<<10 - 1, 64 << 10, most - 1, most} {
		want := bytes.Repeat([]byte("x"), size)
		for _, declared := range []int64{-1, int64(size), int64(size) / 2, min(most, int64(size)*2)} {
			for name, r := range map[string]io.Reader{
				"at once":    bytes.NewReader(want),
				"byte-wise":  iotest.OneByteReader(bytes.NewReader(want)),
				"EOF with n": iotest.DataErrReader(bytes.NewReader(want)),
			} {
				b := body.NewBudget(3 * most)
				got, release, err := b.Read(r, declared, most)
				if err != nil || !bytes.Equal(got, want) {
					t.Fatalf("%d bytes, %d declared, %s: got %d bytes, %v", size, declared, name, len(got), err)
				}
				if held := b.Held(); held < int64(cap(got)) {
					t.Errorf("%d bytes: %d held for a buffer of %d", size, held, cap(got))
				}
				release()
				release()
				if held := b.Held(); held != 0 {
					t.Errorf("%d bytes: %d held after release", size, held)
				}
			}
		}
	}
}

func TestTooLarge(t *testing.T) {
	b := body.NewBudget(1 << 20)
	for _, declared := range []int64{-1, 0, 10, 11, 1 << 40} {
		_, release, err := b.Read(strings.NewReader("12345678901"), declared, 10)
		var large *body.TooLargeError
		if !errors.As(err, &large) || large.Max != 10 {
			t.Errorf("declared %d: error %v, want TooLargeError of 10", declared, err)
		}
		release()
	}
	if b.Held() != 0 {
		t.Errorf("%d bytes held after errors", b.Held())
	}
}

func TestBusy(t *testing.T) {
	b := body.NewBudget(200 << 10)
	_, release, err := b.Read(strings.NewReader(strings.Repeat("x", 80<<10)), 80<<10, body.MaxBody)
	if err != nil {
		t.Fatalf("first body: %v", err)
	}
	if _, _, err := b.Read(strings.NewReader(strings.Repeat("x", 80<<10)), -1, body.MaxBody); err != body.ErrBusy {
		t.Errorf("second body: %v, want ErrBusy", err)
	}
	release()
	if _, _, err := b.Read(strings.NewReader(strings.Repeat("x", 80<<10)), 80<<10, body.MaxBody); err != nil {
		t.Errorf("after release: %v", err)
	}
}

func TestClaimsCostLittle(t *testing.T) {
	b := body.NewBudget(1 << 20)
	r, w := io.Pipe()
	reading := make(chan error, 1)
	go func() {
		_, release, err := b.Read(r, body.MaxBody, body.MaxBody)
		release()
		reading <- err
	}()
	// One byte has been taken, so memory has been set aside.
	if _, err := w.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if held := b.Held(); held > 64<<10 {
		t.Errorf("%d bytes held for one byte of a claimed 32 MiB", held)
	}
	gone := errors.New("gone")
	w.CloseWithError(gone)
	if err := <-reading; err != gone {
		t.Errorf("Read: %v, want the reader's own error", err)
	}
	if b.Held() != 0 {
		t.Errorf("%d bytes held after an error", b.Held())
	}
}

func TestConcurrent(t *testing.T) {
	const total = 256 << 10
	b := body.NewBudget(total)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 200 {
				_, release, err := b.Read(strings.NewReader(strings.Repeat("x", 30<<10)), -1, body.MaxBody)
				if held := b.Held(); held > total {
					t.Errorf("%d bytes held of %d", held, total)
				}
				if err != nil && err != body.ErrBusy {
					t.Errorf("Read: %v", err)
				}
				release()
			}
		})
	}
	all.Wait()
	if b.Held() != 0 {
		t.Errorf("%d bytes held at the end", b.Held())
	}
}

func BenchmarkRead(b *testing.B) {
	for _, size := range []int{1 << 10, 64 << 10, 1 << 20} {
		b.Run(fmt.Sprintf("%dKiB", size>>10), func(b *testing.B) {
			text := bytes.Repeat([]byte("x"), size)
			budget := body.NewBudget(body.MaxBody)
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				_, release, err := budget.Read(bytes.NewReader(text), int64(size), body.MaxBody)
				if err != nil {
					b.Fatal(err)
				}
				release()
			}
		})
	}
}
