// Package pgtest starts real PostgreSQL servers for tests: New makes one of the
// programs in $CULVERT_POSTGRES, which internal/kv/postgres/run finds, and it is
// gone when the test ends. Such tests have the build tag postgres. It is for
// tests only. A Server belongs to one test.
package pgtest

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Password is the canary that no error may contain.
const Password = "canary-3f9a41"

// Server is a real one, of the programs in $CULVERT_POSTGRES, on loopback.
type Server struct {
	Dir  string
	Port int
	as   *syscall.SysProcAttr // as whom it runs
	cmd  *exec.Cmd            // nil while it does not
	log  *os.File
}

// New makes a database cluster and starts its server; both are gone when
// the test ends.
func New(t testing.TB) *Server {
	t.Helper()
	dir, err := os.MkdirTemp("", "pg")
	if err != nil {
		t.Fatal(err)
	}
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{Dir: dir, as: &syscall.SysProcAttr{}, log: log}
	t.Cleanup(func() {
		if s.cmd != nil {
			s.End(t, syscall.SIGINT)
		}
		if t.Failed() {
			t.Logf("the server said:\n%s", s.said())
		}
		_ = log.Close()
		_ = os.RemoveAll(dir)
	})
	if os.Getuid() == 0 { // as which it refuses to run
		who, err := user.Lookup("postgres")
		if err != nil {
			t.Fatal(err)
		}
		uid, _ := strconv.Atoi(who.Uid)
		gid, _ := strconv.Atoi(who.Gid)
		s.as.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		if err := os.Chown(dir, uid, gid); err != nil {
			t.Fatal(err)
		}
	}
	secret := filepath.Join(dir, "secret")
	if err := os.WriteFile(secret, []byte(Password), 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := s.command("initdb", "-D", dir+"/data", "-U", "culvert", "--pwfile="+secret, "-A", "scram-sha-256",
		"-E", "UTF8", "--locale=C.UTF-8", "--no-sync").CombinedOutput()
	if err != nil {
		t.Fatalf("initdb: %v\n%s", err, out)
	}
	s.Start(t)
	return s
}

func (s *Server) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(os.Getenv("CULVERT_POSTGRES"), name), args...)
	cmd.Dir, cmd.SysProcAttr = s.Dir, s.as
	return cmd
}

// Start starts the server and waits until it answers. A port that was taken
// meanwhile, or what a killed one has not yet let go of, is tried again.
func (s *Server) Start(t testing.TB, settings ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	for ctx.Err() == nil {
		if s.Port == 0 {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			s.Port = l.Addr().(*net.TCPAddr).Port
			_ = l.Close()
		}
		args := []string{"-D", s.Dir + "/data", "-p", strconv.Itoa(s.Port), "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=" + s.Dir}
		for _, setting := range settings {
			args = append(args, "-c", setting)
		}
		cmd := s.command("postgres", args...)
		cmd.Stdout, cmd.Stderr = s.log, s.log
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan struct{})
		go func() { _ = cmd.Wait(); close(ended) }()
		for running := true; running && ctx.Err() == nil; {
			select {
			case <-ended:
				running = false
			case <-time.After(20 * time.Millisecond):
				if conn, err := pgx.Connect(ctx, s.URL()); err == nil {
					_ = conn.Close(ctx)
					s.cmd = cmd
					return
				}
			}
		}
		_ = cmd.Process.Kill()
		<-ended
	}
	t.Fatalf("the server does not start:\n%s", s.said())
}

// End ends the server: SIGINT in order, SIGKILL as by a loss of power.
func (s *Server) End(t testing.TB, how syscall.Signal) {
	t.Helper()
	if err := s.cmd.Process.Signal(how); err != nil {
		t.Fatal(err)
	}
	// Its goroutine in start waits for it; what is left to see is its port.
	deadline := time.Now().Add(20 * time.Second)
	for s.cmd.Process.Signal(syscall.Signal(0)) == nil {
		if time.Now().After(deadline) {
			t.Fatal("the server does not end")
		}
		time.Sleep(5 * time.Millisecond)
	}
	s.cmd = nil
}

func (s *Server) said() []byte {
	log, _ := os.ReadFile(s.log.Name())
	return log
}

// URL is that of its owner.
func (s *Server) URL() string { return s.URLOf("culvert", Password, "postgres") }

// URLOf is that of a user and a database.
func (s *Server) URLOf(user, password, database string) string {
	return fmt.Sprintf("postgres://%s:%s@127.0.0.1:%d/%s", user, password, s.Port, database)
}

// Do runs a statement on a connection of its own.
func (s *Server) Do(t testing.TB, sql string) {
	t.Helper()
	conn, err := pgx.Connect(context.Background(), s.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if _, err := conn.Exec(context.Background(), sql, pgx.QueryExecModeSimpleProtocol); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}
