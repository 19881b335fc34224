package tunnel

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/culvert-net/culvert/api/backend"
)

// Shorthands for the tables: a sound head with one thing changed.
func swap(raw, old, new string) string {
	if !strings.Contains(raw, old) {
		panic("swap: " + old + " is not in the message")
	}
	return strings.Replace(raw, old, new, 1)
}

func addField(raw, lines string) string { return swap(raw, "\r\n\r\n", "\r\n"+lines+"\r\n\r\n") }

var badRequests = []struct {
	name string
	raw  string
	form Form
}{
	{"empty line first", "\r\n" + rawRequest("{}"), FormStartLine},
	{"two parts", swap(rawRequest("{}"), " HTTP/1.1", ""), FormStartLine},
	{"double space", swap(rawRequest("{}"), "POST ", "POST  "), FormStartLine},
	{"four parts", swap(rawRequest("{}"), " HTTP/1.1", " x HTTP/1.1"), FormStartLine},
	{"method of no token", swap(rawRequest("{}"), "POST", "PO(ST"), FormStartLine},
	{"HTTP/1.0", swap(rawRequest("{}"), "HTTP/1.1", "HTTP/1.0"), FormVersion},
	{"HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", FormVersion},
	{"lower-case version", swap(rawRequest("{}"), "HTTP/1.1", "http/1.1"), FormVersion},
	{"CONNECT", swap(rawRequest("{}"), "POST /v1/chat/completions", "CONNECT 10.0.0.1:22"), FormConnect},
	{"absolute form", swap(rawRequest("{}"), "/v1", "http://10.0.0.1/v1"), FormTarget},
	{"network path", swap(rawRequest("{}"), "/v1", "//10.0.0.1/v1"), FormTarget},
	{"asterisk", swap(rawRequest("{}"), "POST /v1/chat/completions", "OPTIONS *"), FormTarget},
	{"fragment", swap(rawRequest("{}"), "completions", "completions#x"), FormTarget},
	{"escapes", swap(rawRequest("{}"), "/v1/chat", "/v1%2fchat"), FormTarget},
	{"backslash", swap(rawRequest("{}"), "/v1/chat", "/v1\\chat"), FormTarget},
	{"query", swap(rawRequest("{}"), "completions", "completions?user=1"), FormQuery},
	{"empty query", swap(rawRequest("{}"), "completions", "completions?"), FormQuery},
	{"large head", addField(rawRequest("{}"), "X-A: "+strings.Repeat("a", MaxHead)), FormHeadSize},
	{"endless head", "POST " + strings.Repeat("a", 2*MaxHead), FormHeadSize},
	{"many fields", addField(rawRequest("{}"), strings.Repeat("X: y\r\n", MaxFields)+"X: y"), FormHeadSize},
	{"NUL", swap(rawRequest("{}"), "culvert", "cul\x00vert"), FormByte},
	{"tab", swap(rawRequest("{}"), "Host: culvert", "Host:\tculvert"), FormByte},
	{"high byte", swap(rawRequest("{}"), "culvert", "cülvert"), FormByte},
	{"DEL", swap(rawRequest("{}"), "culvert", "culvert\x7f"), FormByte},
	{"bare CR", swap(rawRequest("{}"), "culvert", "cul\rvert"), FormBareCR},
	{"two CR", swap(rawRequest("{}"), "culvert", "culvert\r"), FormBareCR},
	{"bare LF", swap(rawRequest("{}"), "culvert\r\n", "culvert\n"), FormBareLF},
	{"bare LF ends head", swap(rawRequest("{}"), "\r\n\r\n", "\r\n\n"), FormBareLF},
	{"obs-fold", addField(rawRequest("{}"), " folded: yes"), FormFold},
	{"space before colon", swap(rawRequest("{}"), "Content-Length:", "Content-Length :"), FormFieldName},
	{"no colon", addField(rawRequest("{}"), "Upgrade"), FormFieldName},
	{"no name", addField(rawRequest("{}"), ": x"), FormFieldName},
	{"Upgrade", addField(rawRequest("{}"), "Upgrade: websocket"), FormField},
	{"Connection", addField(rawRequest("{}"), "Connection: close"), FormField},
	{"Expect", addField(rawRequest("{}"), "Expect: 100-continue"), FormField},
	{"Trailer", addField(rawRequest("{}"), "Trailer: X"), FormField},
	{"User-Agent", addField(rawRequest("{}"), "User-Agent: sdk/1.0"), FormField},
	{"Authorization", addField(rawRequest("{}"), "Authorization: Bearer x"), FormField},
	{"other host", swap(rawRequest("{}"), "culvert", "localhost"), FormFieldValue},
	{"other content type", swap(rawRequest("{}"), "Content-Type: application/json", "Content-Type: text/plain"), FormFieldValue},
	{"other accept", swap(rawRequest("{}"), "Accept: application/json", "Accept: */*"), FormFieldValue},
	{"two hosts", addField(rawRequest("{}"), "Host: culvert"), FormDuplicate},
	{"round of other characters", addField(rawRequest("{}"), "X-Culvert-Round: a+b/"), FormFieldValue},
	{"empty round", addField(rawRequest("{}"), "X-Culvert-Round: "), FormFieldValue},
	{"long round", addField(rawRequest("{}"), "X-Culvert-Round: "+strings.Repeat("a", MaxRound+1)), FormFieldValue},
	{"two rounds", addField(rawRequest("{}"), "X-Culvert-Round: a\r\nX-Culvert-Round: a"), FormDuplicate},
	{"round instead of a field", swap(rawRequest("{}"), "Accept: application/json", "X-Culvert-Round: a"), FormMissing},
	{"two lengths", addField(rawRequest("{}"), "Content-Length: 2"), FormDuplicate},
	{"no host", swap(rawRequest("{}"), "Host: culvert\r\n", ""), FormMissing},
	{"no length", swap(rawRequest("{}"), "Content-Length: 2\r\n", ""), FormMissing},
	{"signed length", swap(rawRequest("{}"), "Length: 2", "Length: +2"), FormLength},
	{"negative length", swap(rawRequest("{}"), "Length: 2", "Length: -2"), FormLength},
	{"list of lengths", swap(rawRequest("{}"), "Length: 2", "Length: 2, 2"), FormLength},
	{"hexadecimal length", swap(rawRequest("{}"), "Length: 2", "Length: 0x2"), FormLength},
	{"padded length", swap(rawRequest("{}"), "Length: 2", "Length: 02"), FormLength},
	{"empty length", swap(rawRequest("{}"), "Length: 2", "Length:"), FormLength},
	{"huge length", swap(rawRequest("{}"), "Length: 2", "Length: 18446744073709551618"), FormLength},
	{"length and encoding", addField(rawRequest("{}"), "Transfer-Encoding: chunked"), FormBothLengths},
	{"chunked", swap(swap(rawRequest("{}"), "Content-Length: 2", "Transfer-Encoding: chunked"), "{}", "2\r\n{}\r\n0\r\n\r\n"), FormEncoding},
	{"two encodings", swap(rawRequest("{}"), "Content-Length: 2", "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity"), FormDuplicate},
	{"second request", rawRequest(plainChat) + rawRequest(plainChat), FormAfterEnd},
	{"one byte more", rawRequest(plainChat) + "\n", FormAfterEnd},
}

// Every refused form of a request ends in a reset, without an answer and
// without the backend.
func TestSmuggledRequests(t *testing.T) {
	srv := serveBackend(t, ServerConfig{Backend: backendFunc(
		func(context.Context, *backend.Request) (*backend.Response, error) {
			t.Error("the backend was asked")
			return nil, errors.New("asked")
		})})
	for _, tt := range badRequests {
		t.Run(tt.name, func(t *testing.T) {
			checkForm(t, readWholeRequest(stringsReader(tt.raw)), tt.form)
			checkForm(t, readWholeRequest(oneByte{stringsReader(tt.raw)}), tt.form)
			if got, err := exchangeRaw(srv, tt.raw); got != "" || !errors.Is(err, errReset) {
				t.Errorf("server answered %q, %v, want a reset", got, err)
			}
		})
	}
}

// readWholeRequest reads a request as the server's end does.
func readWholeRequest(r io.Reader) error {
	in, err := readRequest(r)
	if err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, in.body); err != nil {
		return err
	}
	return in.scan.finish()
}

func checkForm(t *testing.T, err error, want Form) {
	t.Helper()
	if e, ok := errors.AsType[*ProtocolError](err); !ok || e.Form != want {
		t.Errorf("error = %v, want form %q", err, want)
	}
}

// oneByte yields a byte at a time.
type oneByte struct{ r io.Reader }

func (o oneByte) Read(p []byte) (int, error) { return o.r.Read(p[:min(1, len(p))]) }

var (
	okAnswer = jsonAnswer("{}")
	okError  = errorAnswer(400, "{}")
	okStream = streamAnswer("data: 1\n\n")
)

var badAnswers = []struct {
	name string
	raw  string
	form Form
}{
	{"empty line first", "\r\n" + okAnswer, FormStartLine},
	{"no status", swap(okAnswer, "HTTP/1.1 200 OK", "HTTP/1.1"), FormStartLine},
	{"no reason's space", swap(okAnswer, " OK", ""), FormStartLine},
	{"long status", swap(okAnswer, "200", "0200"), FormStartLine},
	{"signed status", swap(okAnswer, "200", "+20"), FormStartLine},
	{"not HTTP", swap(okAnswer, "HTTP/1.1", "ICY"), FormStartLine},
	{"HTTP/1.0", swap(okAnswer, "HTTP/1.1", "HTTP/1.0"), FormVersion},
	{"continue", "HTTP/1.1 100 Continue\r\n\r\n" + okAnswer, FormInterim},
	{"early hints", "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + okAnswer, FormInterim},
	{"upgrade", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", FormInterim},
	{"redirect", swap(okAnswer, "200 OK", "307 X"), FormStatus},
	{"no content", swap(okAnswer, "200 OK", "204 X"), FormStatus},
	{"status beyond", swap(okAnswer, "200 OK", "600 X"), FormStatus},
	{"large head", addField(okAnswer, "X-A: "+strings.Repeat("a", MaxHead)), FormHeadSize},
	{"many fields", addField(okAnswer, strings.Repeat("X: y\r\n", MaxFields)+"X: y"), FormHeadSize},
	{"NUL", swap(okAnswer, "OK", "O\x00K"), FormByte},
	{"escape", addField(okAnswer, "X: \x1b[2J"), FormByte},
	{"bare CR", addField(okAnswer, "X: a\rb"), FormBareCR},
	{"bare LF", swap(okAnswer, "OK\r\n", "OK\n"), FormBareLF},
	{"obs-fold", addField(okAnswer, " x: y"), FormFold},
	{"space before colon", addField(okAnswer, "X : y"), FormFieldName},
	{"Connection", addField(okAnswer, "Connection: keep-alive"), FormField},
	{"Upgrade", addField(okAnswer, "Upgrade: h2c"), FormField},
	{"Trailer", addField(okStream, "Trailer: X-Cost"), FormField},
	{"gzip", addField(okAnswer, "Content-Encoding: gzip"), FormField},
	{"two lengths", addField(okError, "Content-Length: 2"), FormDuplicate},
	{"two types", addField(okAnswer, "Content-Type: text/event-stream"), FormDuplicate},
	{"two encodings", addField(okStream, "Transfer-Encoding: chunked"), FormDuplicate},
	{"length and encoding", addField(okStream, "Content-Length: 5"), FormBothLengths},
	{"signed length", swap(okError, "Length: 2", "Length: +2"), FormLength},
	{"gzip, chunked", swap(okStream, "chunked", "gzip, chunked"), FormEncoding},
	{"identity", swap(okStream, "chunked", "identity"), FormEncoding},
	{"ends by closing", swap(okError, "Content-Length: 2\r\n", ""), FormFraming},
	{"document with a length", swap(okError, "400", "200"), FormFraming},
	{"chunked error", swap(okStream, "200", "400"), FormFraming},
	{"media type", swap(okAnswer, "application/json", "image/svg+xml"), FormMedia},
	{"no media type", swap(okAnswer, "Content-Type: application/json\r\n", ""), FormMedia},
	{"bytes after document", okAnswer + "x", FormAfterEnd},
	{"second answer", okAnswer + okAnswer, FormAfterEnd},
	{"bytes after stream", okStream + "0\r\n\r\n", FormAfterEnd},
	{"chunk extension", swap(okStream, "9\r\n", "9;a=b\r\n"), FormExtension},
	{"space after size", swap(okStream, "9\r\n", "9 \r\n"), FormExtension},
	{"no size", swap(okStream, "9\r\n", "\r\n"), FormChunkSize},
	{"prefixed size", swap(okStream, "9\r\n", "0x9\r\n"), FormExtension},
	{"padded size", swap(okStream, "9\r\n", "09\r\n"), FormChunkSize},
	{"negative size", swap(okStream, "9\r\n", "-9\r\n"), FormChunkSize},
	{"huge size", swap(okStream, "9\r\n", "100001\r\n"), FormChunkSize},
	{"overflowing size", swap(okStream, "9\r\n", "ffffffffffffffff9\r\n"), FormChunkSize},
	{"size line ends in LF", swap(okStream, "9\r\n", "9\n"), FormBareLF},
	{"size line ends in CR", swap(okStream, "9\r\n", "9\r"), FormBareCR},
	{"chunk too short", swap(okStream, "9\r\n", "8\r\n"), FormChunkEnd},
	{"chunk too long", swap(okStream, "9\r\n", "a\r\n"), FormChunkEnd},
	{"chunk ends in LF", swap(okStream, "\n\n\r\n", "\n\n\n"), FormChunkEnd},
	{"trailer", swap(okStream, "0\r\n\r\n", "0\r\nX-Cost: 1\r\n\r\n"), FormTrailer},
	{"last line ends in LF", swap(okStream, "0\r\n\r\n", "0\r\n\n"), FormTrailer},
	{"last line ends in CR", swap(okStream, "0\r\n\r\n", "0\r\n\r\r"), FormTrailer},
}

// Every refused form of an answer ends in a 502 and a reset, whether it is met
// before or after the first byte.
func TestSmuggledAnswers(t *testing.T) {
	for _, tt := range badAnswers {
		t.Run(tt.name, func(t *testing.T) {
			checkForm(t, readWholeAnswer(stringsReader(tt.raw)), tt.form)
			checkForm(t, readWholeAnswer(oneByte{stringsReader(tt.raw)}), tt.form)
			d := newDialer(t, say(tt.raw), say(tt.raw))
			if got := ask(t, newTestClient(t, newRouter("a", "b"), d)); got.status != 502 {
				t.Errorf("answer = %+v, want status 502", got)
			}
			for _, conn := range d.conns {
				if reset, _ := conn.state(); !reset {
					t.Error("stream was not reset")
				}
			}
		})
	}
	for _, raw := range []string{okAnswer, okError, okStream} {
		if err := readWholeAnswer(oneByte{stringsReader(raw)}); err != nil {
			t.Errorf("sound answer: %v", err)
		}
	}
}

// readWholeAnswer reads an answer as the client's end does.
func readWholeAnswer(r io.Reader) error {
	a, err := readAnswer(r)
	if err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, a.body); err != nil {
		if a.scan.err != nil {
			return a.scan.err
		}
		return err
	}
	return a.scan.finish()
}
