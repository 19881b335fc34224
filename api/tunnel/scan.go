package tunnel

import (
	"bytes"
	"io"
	"slices"
	"strings"
)

// scanner reads one message off a stream, ahead of net/http. It validates raw
// bytes and then yields them: first the head, replayed, then the framed body,
// and io.EOF exactly at the message's end. What has a refused form never
// reaches net/http, which would forgive some of it. Owned by one goroutine.
type scanner struct {
	src    io.Reader
	srcErr error // src's own end; sticky

	replay []byte // validated head, not yet read by net/http
	rest   []byte // raw bytes behind the head, not yet read

	chunked bool
	left    int64        // of a body with a length
	chunks  chunkScanner // of a chunked body

	done bool  // the body's last byte was yielded
	err  error // why no more is yielded; sticky
}

// field is one header line of a head.
type field struct {
	name  string // lower case
	value string // without surrounding spaces
}

// head reads up to the empty line that ends a head and returns the start line
// and the header fields. Bytes are looked at as they come: a peer that ends its
// lines otherwise is refused at once, not when a limit or a timer strikes.
func (s *scanner) head() (start string, fields []field, err error) {
	buf := make([]byte, 0, headRoom)
	seen, line := 0, 0 // bytes looked at; where the current line starts
	var lines [][]byte
	for {
		for ; seen < len(buf); seen++ {
			afterCR := seen > line && buf[seen-1] == '\r'
			if err := checkHeadByte(buf[seen], afterCR); err != nil {
				return "", nil, err
			}
			if buf[seen] != '\n' {
				continue
			}
			text := buf[line : seen-1]
			line = seen + 1
			if len(text) > 0 {
				if len(lines) > MaxFields {
					return "", nil, refuse(FormHeadSize)
				}
				lines = append(lines, text)
				continue
			}
			if len(lines) == 0 {
				return "", nil, refuse(FormStartLine)
			}
			if line > MaxHead {
				return "", nil, refuse(FormHeadSize)
			}
			s.replay, s.rest = buf[:line:line], buf[line:]
			fields, err = parseFields(lines[1:])
			return string(lines[0]), fields, err
		}
		if len(buf) >= MaxHead {
			return "", nil, refuse(FormHeadSize)
		}
		if len(buf) == cap(buf) {
			buf = slices.Grow(buf, len(buf)) // lines keep the old array: same bytes
		}
		n, err := s.read(buf[len(buf):cap(buf)])
		if err != nil {
			if err == io.EOF && len(buf) > 0 {
				err = io.ErrUnexpectedEOF
			}
			return "", nil, err
		}
		buf = buf[:len(buf)+n]
	}
}

// checkHeadByte refuses what may not stand in a head.
func checkHeadByte(b byte, afterCR bool) error {
	switch {
	case b == '\n' && !afterCR:
		return refuse(FormBareLF)
	case b != '\n' && afterCR:
		return refuse(FormBareCR)
	case b != '\n' && b != '\r' && (b < ' ' || b > '~'):
		return refuse(FormByte)
	}
	return nil
}

// parseFields splits header lines. The bytes are printable ASCII by now.
func parseFields(lines [][]byte) ([]field, error) {
	fields := make([]field, 0, len(lines))
	for _, l := range lines {
		if l[0] == ' ' {
			return nil, refuse(FormFold)
		}
		name, value, found := bytes.Cut(l, []byte{':'})
		if !found || !isToken(name) {
			return nil, refuse(FormFieldName)
		}
		fields = append(fields, field{
			name:  strings.ToLower(string(name)),
			value: strings.Trim(string(value), " "),
		})
	}
	return fields, nil
}

// Read yields the message to net/http.
func (s *scanner) Read(p []byte) (int, error) {
	switch {
	case len(s.replay) > 0:
		n := copy(p, s.replay)
		s.replay = s.replay[n:]
		return n, nil
	case s.err != nil:
		return 0, s.err
	case s.done:
		return 0, io.EOF
	case len(p) == 0:
		return 0, nil
	}
	if !s.chunked && int64(len(p)) > s.left {
		p = p[:s.left]
	}
	n, err := s.more(p)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	if err == nil {
		err = s.account(p[:n])
	}
	if err != nil {
		s.err = err
		return 0, err
	}
	return n, nil
}

// account moves the framing on by p, the next raw bytes of the body.
func (s *scanner) account(p []byte) error {
	if !s.chunked {
		s.left -= int64(len(p))
		s.done = s.left == 0
		return nil
	}
	n, err := s.chunks.feed(p)
	if err != nil {
		return err
	}
	s.done = s.chunks.ended()
	if n < len(p) {
		return refuse(FormAfterEnd)
	}
	return nil
}

// finish waits for the stream's END behind the message. It is nil only if
// both the message and the stream are complete.
func (s *scanner) finish() error {
	switch {
	case s.err != nil:
		return s.err
	case !s.done:
		return io.ErrUnexpectedEOF
	}
	var p [1]byte
	n, err := s.more(p[:])
	if n > 0 {
		err = refuse(FormAfterEnd)
	}
	if err == io.EOF {
		return nil
	}
	s.err = err
	return err
}

// more reads raw bytes: those that came with the head first.
func (s *scanner) more(p []byte) (int, error) {
	if len(s.rest) > 0 {
		n := copy(p, s.rest)
		s.rest = s.rest[n:]
		return n, nil
	}
	return s.read(p)
}

// read reads src; bytes first, its error by the next call.
func (s *scanner) read(p []byte) (int, error) {
	for range maxEmptyReads {
		if s.srcErr != nil {
			return 0, s.srcErr
		}
		var n int
		if n, s.srcErr = s.src.Read(p); n > 0 {
			return n, nil
		}
	}
	return 0, io.ErrNoProgress
}

// isToken reports whether b is an RFC 9110 token.
func isToken(b []byte) bool {
	for _, c := range b {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0:
		default:
			return false
		}
	}
	return len(b) > 0
}
