package tunnel

import (
	"bufio"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/culvert-net/culvert/api/backend"
)

// answer is an answer whose head was accepted by the client's end.
type answer struct {
	status int
	media  string      // of a 200: backend.ContentJSON or backend.ContentStream
	header http.Header // what backend.ResponseHeader lets through
	body   io.Reader   // net/http's, on scan; never closed, that would read it to its end
	scan   *scanner
}

// readAnswer reads an answer's head. Its errors are *ProtocolError or the
// stream's own.
func readAnswer(r io.Reader) (*answer, error) {
	s := &scanner{src: r}
	start, fields, err := s.head()
	if err != nil {
		return nil, err
	}
	status, err := statusLine(start)
	if err != nil {
		return nil, err
	}
	length, err := checkAnswerFields(fields)
	if err != nil {
		return nil, err
	}
	s.chunked, s.left, s.done = length < 0, max(length, 0), length == 0
	res, err := http.ReadResponse(bufio.NewReaderSize(s, headRoom), nil)
	if err != nil || res.StatusCode != status || res.ContentLength != length ||
		(len(res.TransferEncoding) > 0) != s.chunked {
		return nil, refuse(FormDisagreement)
	}
	a := &answer{
		status: status,
		media:  backend.ContentType(res.Header),
		header: backend.ResponseHeader(res.Header),
		body:   res.Body,
		scan:   s,
	}
	switch ok := status == http.StatusOK; {
	case s.chunked != ok:
		return nil, refuse(FormFraming)
	case ok && a.media == "":
		return nil, refuse(FormMedia)
	}
	return a, nil
}

// statusLine reads a status line and refuses every status that may not pass.
func statusLine(line string) (status int, err error) {
	version, rest, _ := strings.Cut(line, " ")
	if version != "HTTP/1.1" {
		if strings.HasPrefix(version, "HTTP/") {
			return 0, refuse(FormVersion)
		}
		return 0, refuse(FormStartLine)
	}
	code, _, found := strings.Cut(rest, " ")
	if !found || len(code) != 3 || strings.Trim(code, "0123456789") != "" {
		return 0, refuse(FormStartLine)
	}
	status, err = strconv.Atoi(code)
	switch {
	case err != nil:
		return 0, refuse(FormStartLine)
	case status >= 100 && status < 200:
		return 0, refuse(FormInterim)
	case !passStatus(status):
		return 0, refuse(FormStatus)
	}
	return status, nil
}

// passStatus reports whether a provider's or backend's status may pass.
func passStatus(status int) bool {
	return status == http.StatusOK || status >= 400 && status < 600
}

// checkAnswerFields returns the declared length, or -1 for a chunked body.
func checkAnswerFields(fields []field) (length int64, err error) {
	if err := checkLengths(fields); err != nil {
		return 0, err
	}
	seen := make(map[string]bool, len(onceFields))
	framed := false
	for _, f := range fields {
		switch {
		case refusedFields[f.name]:
			return 0, refuse(FormField)
		case onceFields[f.name] && seen[f.name]:
			return 0, refuse(FormDuplicate)
		}
		seen[f.name] = true
		switch f.name {
		case "content-length":
			if length, err = parseLength(f.value); err != nil {
				return 0, err
			}
			framed = true
		case "transfer-encoding":
			if f.value != "chunked" {
				return 0, refuse(FormEncoding)
			}
			length, framed = -1, true
		}
	}
	if !framed {
		return 0, refuse(FormFraming)
	}
	return length, nil
}

// appendHead appends an answer's head: a fixed order, no date, no server name.
// A length below 0 announces a chunked body. Only what backend.ResponseHeader
// lets through is sent.
func appendHead(b []byte, status int, length int64, h http.Header) []byte {
	b = append(b, "HTTP/1.1 "...)
	b = strconv.AppendInt(b, int64(status), 10)
	b = append(b, ' ')
	b = append(b, http.StatusText(status)...)
	if length < 0 {
		b = append(b, "\r\nTransfer-Encoding: chunked"...)
	} else {
		b = append(b, "\r\nContent-Length: "...)
		b = strconv.AppendInt(b, length, 10)
	}
	return appendFields(b, backend.ResponseHeader(h))
}

// appendFields appends header lines in the order of their names, and the empty
// line that ends a head.
func appendFields(b []byte, h http.Header) []byte {
	for _, name := range slices.Sorted(maps.Keys(h)) {
		b = append(b, "\r\n"...)
		b = append(b, name...)
		b = append(b, ": "...)
		b = append(b, h.Get(name)...)
	}
	return append(b, "\r\n\r\n"...)
}
