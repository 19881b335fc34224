package doctor

import (
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
)

func TestListening(t *testing.T) {
	const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:226B 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 111 1 0
   1: 0100007F:226B 0100007F:A000 01 00000000:00000000 00:00000000 00000000     0        0 222 1 0
   2: 0100007F:226C 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 333 1 0
   3: broken
`
	if got := listening(table, 8811); !slices.Equal(got, []string{"socket:[111]"}) {
		t.Errorf("listening = %q", got)
	}
}

func TestHolderProcess(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if got := holderProcess(l.Addr().String()); !strings.HasSuffix(got, fmt.Sprintf(", process %d", os.Getpid())) {
		t.Errorf("holderProcess = %q, want this test", got)
	}
}
