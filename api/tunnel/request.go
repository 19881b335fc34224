package tunnel

import (
	"bufio"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/culvert-net/culvert/api/backend"
	"github.com/culvert-net/culvert/api/openai"
)

// isSmall reports whether a request with so much of a body and this round leaves
// without waiting.
func isSmall(length int, round string) bool { return length+len(round) <= smallRequest }

// writeRequest sends req, with data as its body, and ends the direction. A
// small one leaves in one write.
func writeRequest(conn Conn, req *backend.Request, data []byte, round string) error {
	head := appendRequestHead(make([]byte, 0, headRoom+len(round)+min(len(data), smallRequest)), req, len(data), round)
	if isSmall(len(data), round) {
		head, data = append(head, data...), nil
	}
	if _, err := conn.Write(head); err != nil {
		return err
	}
	if _, err := conn.Write(data); err != nil {
		return err
	}
	return conn.CloseWrite()
}

// appendRequestHead appends a request's head: a fixed order, no client's name.
// Every client's is the same but for path, length, whether a stream is asked for
// and, where it is paid for, the round.
func appendRequestHead(b []byte, req *backend.Request, length int, round string) []byte {
	b = append(b, req.Method...)
	b = append(b, ' ')
	b = append(b, req.Path...)
	b = append(b, " HTTP/1.1\r\nHost: "+tunnelHost+"\r\nContent-Length: "...)
	b = strconv.AppendInt(b, int64(length), 10)
	h := backend.RequestHeader(req)
	if round != "" {
		h.Set(roundHeader, round)
	}
	return appendFields(b, h)
}

// incoming is a request whose head was accepted.
type incoming struct {
	route  openai.Route
	header http.Header
	round  string // "": it is not paid for
	length int64
	body   io.Reader // net/http's, on scan; never closed, that would read it to its end
	scan   *scanner
}

// readRequest reads a request's head. Its errors are *ProtocolError,
// *openai.Error for a sound request that has no route, or the stream's own.
func readRequest(r io.Reader) (*incoming, error) {
	s := &scanner{src: r}
	start, fields, err := s.head()
	if err != nil {
		return nil, err
	}
	method, path, err := requestLine(start)
	if err != nil {
		return nil, err
	}
	length, err := checkRequestFields(fields)
	if err != nil {
		return nil, err
	}
	s.left, s.done = length, length == 0
	req, err := http.ReadRequest(bufio.NewReaderSize(s, headRoom))
	if err != nil || req.Method != method || req.RequestURI != path || req.Host != tunnelHost ||
		req.ContentLength != length || len(req.TransferEncoding) > 0 {
		return nil, refuse(FormDisagreement)
	}
	route, bad := checkRoute(method, path)
	if bad != nil {
		return nil, bad
	}
	round := req.Header.Get(roundHeader)
	if round != "" {
		req.Header.Del(roundHeader)
	}
	return &incoming{
		route:  route,
		header: req.Header,
		round:  round,
		length: length,
		body:   req.Body,
		scan:   s,
	}, nil
}

// requestLine splits a start line and refuses every target but a plain path.
func requestLine(line string) (method, path string, err error) {
	parts := strings.Split(line, " ")
	if len(parts) != 3 || !isToken([]byte(parts[0])) || parts[1] == "" {
		return "", "", refuse(FormStartLine)
	}
	method, path = parts[0], parts[1]
	switch {
	case parts[2] != "HTTP/1.1":
		return "", "", refuse(FormVersion)
	case method == http.MethodConnect:
		return "", "", refuse(FormConnect)
	case path[0] != '/' || strings.HasPrefix(path, "//") || strings.ContainsAny(path, "#%\\"):
		return "", "", refuse(FormTarget)
	case strings.Contains(path, "?"):
		return "", "", refuse(FormQuery)
	}
	return method, path, nil
}

// checkRequestFields holds a head against requestFields and returns its
// Content-Length.
func checkRequestFields(fields []field) (length int64, err error) {
	if err := checkLengths(fields); err != nil {
		return 0, err
	}
	seen := make(map[string]bool, len(requestFields))
	paid := false
	for _, f := range fields {
		values, listed := requestFields[f.name]
		switch {
		case f.name == "transfer-encoding":
			return 0, refuse(FormEncoding)
		case f.name == roundField && paid:
			return 0, refuse(FormDuplicate)
		case f.name == roundField && !isRound(f.value):
			return 0, refuse(FormFieldValue)
		case f.name == roundField:
			paid = true
			continue
		case !listed:
			return 0, refuse(FormField)
		case seen[f.name]:
			return 0, refuse(FormDuplicate)
		case values != nil && !slices.Contains(values, f.value):
			return 0, refuse(FormFieldValue)
		}
		seen[f.name] = true
		if f.name == "content-length" {
			if length, err = parseLength(f.value); err != nil {
				return 0, err
			}
		}
	}
	if len(seen) < len(requestFields) {
		return 0, refuse(FormMissing)
	}
	return length, nil
}

// checkLengths refuses the two ways to make a message's length ambiguous.
func checkLengths(fields []field) error {
	var lengths, encodings int
	for _, f := range fields {
		switch f.name {
		case "content-length":
			lengths++
		case "transfer-encoding":
			encodings++
		}
	}
	switch {
	case lengths > 0 && encodings > 0:
		return refuse(FormBothLengths)
	case lengths > 1 || encodings > 1:
		return refuse(FormDuplicate)
	}
	return nil
}

// parseLength reads a Content-Length: decimal digits, no sign, no list, no
// leading zeros.
func parseLength(s string) (int64, error) {
	const digits = 15 // far beyond every limit, far from overflow
	if s == "" || len(s) > digits || (s[0] == '0' && s != "0") || strings.Trim(s, "0123456789") != "" {
		return 0, refuse(FormLength)
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return 0, refuse(FormLength)
	}
	return n, nil
}
