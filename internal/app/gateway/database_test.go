package gateway

import (
	"encoding/binary"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/node"
)

// database is a server that speaks PostgreSQL as far as asking for a password, and
// then says it aloud in its refusal.
func database(t *testing.T) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	message := func(conn net.Conn) (string, bool) {
		var size uint32
		if binary.Read(conn, binary.BigEndian, &size) != nil || size < 4 || size > 1<<12 {
			return "", false
		}
		text := make([]byte, size-4)
		_, err := io.ReadFull(conn, text)
		return string(text), err == nil
	}
	answer := func(conn net.Conn, kind byte, text string) {
		_, _ = conn.Write(append(binary.BigEndian.AppendUint32([]byte{kind}, uint32(len(text)+4)), text...))
	}
	serve := func(conn net.Conn) {
		defer conn.Close()
		for {
			text, ok := message(conn)
			if !ok {
				return
			}
			if len(text) > 4 { // it is no wish for TLS
				break
			}
			_, _ = conn.Write([]byte("N"))
		}
		answer(conn, 'R', "\x00\x00\x00\x03") // in clear text
		if _, err := io.ReadFull(conn, make([]byte, 1)); err != nil {
			return
		}
		password, _ := message(conn)
		answer(conn, 'E', "SFATAL\x00C28P01\x00Mthe password is not "+password+"\x00\x00")
	}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go serve(conn)
		}
	}()
	return l.Addr().String()
}

// Whatever a database's URL is like, and whatever is wrong with it or its server: no
// command says a word of the password, and each that needs the database says what is
// wrong.
func TestDatabasePasswordIsSecret(t *testing.T) {
	const secret = "canary"
	server, nobody := database(t), "127.0.0.1:1"
	port, err := node.FreePort(0)
	if err != nil {
		t.Fatal(err)
	}
	for _, url := range []string{
		"postgres://ann:" + secret + "@" + server + "/d?sslmode=disable",
		"postgres://" + server + "/d?user=ann&sslmode=disable&password=" + secret,
		"postgres://ann:" + secret + "@" + nobody + "/d",
		"postgresql://" + nobody + "/d?user=ann&password=" + secret,
		"postgres://ann:" + secret + "@" + nobody + "," + server + "/d?sslmode=disable",
		// What nobody can read.
		"postgres://ann:" + secret + "@" + nobody + "/d?sslmode=" + secret,
		"postgres://ann:" + secret + "%zz@" + nobody + "/d",
		"postgres://ann:1/" + secret + "@" + nobody + "/d",
		"postgres://ann:1#" + secret + "@" + nobody + "/d",
		"postgres://ann:1?" + secret + "@" + nobody + "/d",
		"postgres://ann:1?" + secret + "=@" + nobody + "/d",
		// What is none.
		"host=127.0.0.1 port=1 user=ann password=" + secret,
		"mysql://ann:" + secret + "@" + nobody + "/d",
		"ann:" + secret + "@" + nobody,
		secret,
	} {
		dir := filepath.Join(t.TempDir(), "d")
		if _, err := Init(t.Context(), InitOptions{Data: dir, World: homeWorld(t), Roles: []string{RoleProvider}, Backend: "http://127.0.0.1:1"}); err != nil {
			t.Fatal(err)
		}
		text := "[node]\nroles = [\"provider\"]\nlisten = [\"/ip4/127.0.0.1/tcp/" + strconv.Itoa(port) + "\"]\n[provider]\nurl = \"http://127.0.0.1:1\"\n" +
			"[status]\nlisten = \"\"\n[log]\nlevel = \"debug\"\n" +
			"[chain]\npreset = \"dev\"\nurl = \"http://127.0.0.1:1\"\ncontract = \"0x0101010101010101010101010101010101010101\"\ncode_hash = \"0x" + strings.Repeat("01", 32) + "\"\n" +
			"[ledger]\nstore = \"" + url + "\"\n"
		if err := os.WriteFile(filepath.Join(dir, app.ConfigFile), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, args := range [][]string{{"serve"}, {"config", "check"}, {"config", "check", "--json"}, {"doctor"}, {"status"}, {"earnings"}, {"claim", "--yes"}} {
			var said strings.Builder
			cmd := Command()
			cmd.SilenceErrors, cmd.SilenceUsage = true, true
			cmd.SetIn(strings.NewReader(""))
			cmd.SetOut(&said)
			cmd.SetErr(&said)
			cmd.SetArgs(append(args, "--data", dir))
			err := cmd.ExecuteContext(t.Context())
			if err != nil {
				said.WriteString("\n" + err.Error())
			}
			if strings.Contains(said.String(), secret) {
				t.Errorf("%s, store %s: says\n%s", args, url, said.String())
			}
			if needs := args[0] == "serve" || args[0] == "earnings"; needs && (err == nil || !strings.Contains(err.Error(), "postgres") && !strings.Contains(err.Error(), "ledger")) {
				t.Errorf("%s, store %s: %v, want what is wrong with the database", args, url, err)
			}
			if testing.Verbose() {
				t.Logf("%s: %s", args, said.String())
			}
		}
	}
}
