package peer

import (
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"syscall"
	"testing"
)

// target is where the process of another user connects to.
const target = "CULVERT_PEER_TEST_TARGET"

// The process of TestOtherUser. It is no test by itself.
func TestOtherUserChild(t *testing.T) {
	addr := os.Getenv(target)
	if addr == "" {
		return
	}
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, _ = conn.Read(make([]byte, 1)) // until the other end closes
}

func TestOtherUser(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("SKIP TestOtherUser: only root can start a process of another user")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	// The test's own binary may lie where the other user cannot read it.
	file, err := os.Open(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	cmd := exec.Command("/proc/self/fd/3", "-test.run=^TestOtherUserChild$")
	cmd.ExtraFiles = []*os.File{file}
	cmd.Dir = "/"
	cmd.Env = []string{target + "=" + l.Addr().String()}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65533, Gid: 65533}}
	conn := accepted(t, l, func() {
		if err := cmd.Start(); err != nil {
			t.Skipf("SKIP TestOtherUser: %v", err)
		}
	})
	if err := Check(Remember(context.Background(), conn)); !errors.Is(err, ErrOther) {
		t.Errorf("Check of another user's connection = %v, want ErrOther", err)
	}
	conn.Close()
	_ = cmd.Wait()
}
