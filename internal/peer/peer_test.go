package peer

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// list is in the kernel's form on a machine that keeps the low byte first.
const list = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:22B3 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 100 1 0000000000000000 100 0 0 10 0
   1: 0100007F:D431 0100007F:22B3 01 00000000:00000000 00:00000000 00000000  1001        0 101 1 0000000000000000 20 4 30 10 -1
   2: 0100007F:22B3 0100007F:D431 01 00000000:00000000 00:00000000 00000000  1000        0 102 1 0000000000000000 20 4 30 10 -1
   3: 0100007F:D432 0100007F:22B3 05 00000000:00000000 00:00000000 00000000     0        0 0 1 0000000000000000 20 4 30 10 -1
   4: 0100007F:D433 0100007F:22B3 01 00000000:00000000 00:00000000 00000000     x        0 103 1 0000000000000000 20 4 30 10 -1
   5: 0000000000000000FFFF00000100007F:D434 0000000000000000FFFF00000100007F:22B3 01 00000000:00000000 00:00000000 00000000  1004        0 104 1
   6: 00000000000000000000000001000000:D435 00000000000000000000000001000000:22B3 01 00000000:00000000 00:00000000 00000000  1005        0 105 1
`

func littleEndian(t *testing.T) {
	t.Helper()
	if a, ok := address("0100007F:0001"); !ok || a.Addr().String() != "127.0.0.1" {
		t.Skip("SKIP TestFind: this machine orders bytes the other way")
	}
}

func TestFind(t *testing.T) {
	littleEndian(t)
	for _, tt := range []struct {
		name          string
		local, remote string
		uid           uint32
		ok            bool
	}{
		{"client", "127.0.0.1:54321", "127.0.0.1:8883", 1001, true},
		{"server's own end", "127.0.0.1:8883", "127.0.0.1:54321", 1000, true},
		{"closed by its process, which shows uid 0", "127.0.0.1:54322", "127.0.0.1:8883", 0, false},
		{"uid that is none", "127.0.0.1:54323", "127.0.0.1:8883", 0, false},
		{"IPv4 by an IPv6 socket", "127.0.0.1:54324", "127.0.0.1:8883", 1004, true},
		{"IPv6", "[::1]:54325", "[::1]:8883", 1005, true},
		{"not there", "127.0.0.1:54326", "127.0.0.1:8883", 0, false},
		{"to another port", "127.0.0.1:54321", "127.0.0.1:8884", 0, false},
	} {
		uid, err := find(strings.NewReader(list), netip.MustParseAddrPort(tt.local), netip.MustParseAddrPort(tt.remote))
		if uid != tt.uid || (err == nil) != tt.ok {
			t.Errorf("%s: find = %d, %v; want %d (%t)", tt.name, uid, err, tt.uid, tt.ok)
		}
	}
}

func FuzzFind(f *testing.F) {
	f.Add(list)
	f.Add("0: 0100007F:22B3 0100007F:D431 01 0 0 0 0 0 0 0")
	f.Fuzz(func(t *testing.T, text string) {
		uid, err := find(strings.NewReader(text), netip.MustParseAddrPort("127.0.0.1:54321"), netip.MustParseAddrPort("127.0.0.1:8883"))
		if err != nil && uid != 0 {
			t.Errorf("find = %d, %v", uid, err)
		}
	})
}

func TestAnswerAbout(t *testing.T) {
	local, remote := netip.MustParseAddrPort("127.0.0.1:54321"), netip.MustParseAddrPort("127.0.0.1:8883")
	whole := make([]byte, diagAnswer)
	binary.NativeEndian.PutUint16(whole[4:], diagByFamily)
	whole[diagStateAt] = 1
	copy(whole[diagIDAt:], connID(local, remote))
	binary.NativeEndian.PutUint32(whole[diagUIDAt:], 1001)
	binary.NativeEndian.PutUint32(whole[diagInodeAt:], 7)
	for _, tt := range []struct {
		name   string
		change func(b []byte) []byte
		uid    uint32
		absent bool
	}{
		{"owner", func(b []byte) []byte { return b }, 1001, false},
		{"by an IPv6 socket", func(b []byte) []byte { copy(b[diagIDAt:], connID(asIPv6(local), asIPv6(remote))); return b }, 1001, false},
		{"closed by its process", func(b []byte) []byte { binary.NativeEndian.PutUint32(b[diagInodeAt:], 0); return b }, 0, true},
		{"one that listens", func(b []byte) []byte { b[diagStateAt] = stateListen; return b }, 0, true},
		{"the other end", func(b []byte) []byte { copy(b[diagIDAt:], connID(remote, local)); return b }, 0, true},
		{"none", func(b []byte) []byte {
			binary.NativeEndian.PutUint16(b[4:], diagError)
			binary.NativeEndian.PutUint32(b[diagHead:], ^uint32(syscall.ENOENT)+1)
			return b[:diagHead+20]
		}, 0, true},
		{"not allowed", func(b []byte) []byte {
			binary.NativeEndian.PutUint16(b[4:], diagError)
			binary.NativeEndian.PutUint32(b[diagHead:], ^uint32(syscall.EPERM)+1)
			return b
		}, 0, false},
		{"another type", func(b []byte) []byte { b[4]++; return b }, 0, false},
		{"cut", func(b []byte) []byte { return b[:diagAnswer-1] }, 0, false},
		{"nothing", func([]byte) []byte { return nil }, 0, false},
	} {
		uid, err := answerAbout(tt.change(bytes.Clone(whole)), local, remote)
		if uid != tt.uid || (err == nil) != (tt.uid != 0) || errors.Is(err, errAbsent) != tt.absent {
			t.Errorf("%s: answerAbout = %d, %v; want %d, absent %t", tt.name, uid, err, tt.uid, tt.absent)
		}
	}
	if n := len(askAbout(local, remote)); n != diagRequest {
		t.Errorf("a request has %d bytes, want %d", n, diagRequest)
	}
}

func FuzzAnswerAbout(f *testing.F) {
	local, remote := netip.MustParseAddrPort("127.0.0.1:54321"), netip.MustParseAddrPort("127.0.0.1:8883")
	f.Add(make([]byte, diagAnswer))
	f.Add(askAbout(local, remote))
	f.Fuzz(func(t *testing.T, b []byte) {
		uid, err := answerAbout(b, local, remote)
		if err != nil && uid != 0 || err == nil && len(b) < diagAnswer {
			t.Errorf("answerAbout = %d, %v", uid, err)
		}
	})
}

func TestAllowed(t *testing.T) {
	for _, tt := range []struct {
		uid uint32
		own int
		ok  bool
	}{{1000, 1000, true}, {0, 1000, true}, {1001, 1000, false}, {1000, 0, false}, {0, 0, true}, {1<<32 - 1, -1, false}} {
		if err := allowed(tt.uid, tt.own); (err == nil) != tt.ok || err != nil && !errors.Is(err, ErrOther) {
			t.Errorf("allowed(%d, %d) = %v, want %t", tt.uid, tt.own, err, tt.ok)
		}
	}
}

// accepted is the server's end of a new connection.
func accepted(t *testing.T, l net.Listener, dial func()) net.Conn {
	t.Helper()
	dial()
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

func TestOwnConnections(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("SKIP TestOwnConnections: only Linux says whose a connection is")
	}
	if err := Works(); err != nil {
		t.Errorf("Works = %v", err)
	}
	for _, at := range []struct{ network, addr string }{
		{"tcp", "127.0.0.1:0"}, {"tcp", "[::1]:0"}, {"unix", filepath.Join(t.TempDir(), "s")},
	} {
		l, err := net.Listen(at.network, at.addr)
		if err != nil {
			t.Logf("SKIP %s: %v", at.addr, err)
			continue
		}
		defer l.Close()
		conn := accepted(t, l, func() {
			out, err := net.Dial(at.network, l.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { out.Close() })
		})
		if err := Check(Remember(context.Background(), conn)); err != nil {
			t.Errorf("%s: Check = %v, want nil", at.addr, err)
		}
	}
	if err := Check(context.Background()); !errors.Is(err, ErrUnknown) {
		t.Errorf("Check of a connection nobody remembered = %v, want ErrUnknown", err)
	}
}

// Somebody who connects first, or leaves no way to connect, does not make the
// system look like one that cannot tell: callers would then let everybody in.
func TestWorksIsNotFooled(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("SKIP TestWorksIsNotFooled: only Linux says whose a connection is")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		out, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		out.Close() // whose it was is then not known
	}
	if err := try(l.(*net.TCPListener)); err != nil {
		t.Errorf("with others before it: %v", err)
	}
	l.Close()
	if err := try(l.(*net.TCPListener)); err != nil {
		t.Errorf("where nobody can connect: %v", err)
	}
}

func BenchmarkCheck(b *testing.B) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	out, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	defer out.Close()
	in, err := l.Accept()
	if err != nil {
		b.Fatal(err)
	}
	defer in.Close()
	for b.Loop() {
		_ = same(in)
	}
}
