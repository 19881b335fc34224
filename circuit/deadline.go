package circuit

import (
	"net"
	"time"
)

// addr is the address of either end of a stream: there is none to tell.
type addr struct{}

func (addr) Network() string { return "circuit" }
func (addr) String() string  { return "circuit" }

// LocalAddr implements net.Conn. It names no node.
func (s *Stream) LocalAddr() net.Addr { return addr{} }

// RemoteAddr implements net.Conn. It names no node.
func (s *Stream) RemoteAddr() net.Addr { return addr{} }

// SetDeadline implements net.Conn.
func (s *Stream) SetDeadline(t time.Time) error {
	s.m.mu.Lock()
	defer s.m.mu.Unlock()
	s.readBy, s.writeBy = t, t
	s.readTimer = s.rearm(s.readTimer, t)
	s.writeTimer = s.rearm(s.writeTimer, t)
	return nil
}

// SetReadDeadline implements net.Conn.
func (s *Stream) SetReadDeadline(t time.Time) error {
	s.m.mu.Lock()
	defer s.m.mu.Unlock()
	s.readBy = t
	s.readTimer = s.rearm(s.readTimer, t)
	return nil
}

// SetWriteDeadline implements net.Conn.
func (s *Stream) SetWriteDeadline(t time.Time) error {
	s.m.mu.Lock()
	defer s.m.mu.Unlock()
	s.writeBy = t
	s.writeTimer = s.rearm(s.writeTimer, t)
	return nil
}

// rearm makes waiters look at their deadline again when it comes. mu is held.
func (s *Stream) rearm(old *time.Timer, t time.Time) *time.Timer {
	if old != nil {
		old.Stop()
	}
	s.cond.Broadcast()
	if t.IsZero() || s.closed || s.err != nil {
		return nil
	}
	return time.AfterFunc(time.Until(t), func() {
		s.m.mu.Lock()
		defer s.m.mu.Unlock()
		s.cond.Broadcast()
	})
}

// expired reports whether a deadline is set and has come.
func expired(t time.Time) bool { return !t.IsZero() && !time.Now().Before(t) }
