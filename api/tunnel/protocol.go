package tunnel

// Form names a refused form of a message. The list is closed: it is published
// in docs/spec/tunnel.md and serves as a metric label.
type Form string

// Refused forms.
const (
	FormStartLine    Form = "start line"                  // not three parts, or parts that are none
	FormVersion      Form = "http version"                // anything but HTTP/1.1
	FormConnect      Form = "connect"                     // the CONNECT method
	FormTarget       Form = "request target"              // absolute, authority or asterisk form, or a fragment
	FormQuery        Form = "query"                       // a query string
	FormInterim      Form = "interim status"              // a 1xx answer, upgrades included
	FormStatus       Form = "status"                      // anything but 200, 4xx and 5xx
	FormHeadSize     Form = "head size"                   // more than MaxHead bytes or MaxFields lines
	FormByte         Form = "control byte"                // NUL, a control or a non-ASCII byte in a head
	FormBareCR       Form = "bare carriage return"        // CR without LF
	FormBareLF       Form = "bare line feed"              // LF without CR
	FormFold         Form = "folded line"                 // obs-fold
	FormFieldName    Form = "field name"                  // not a token directly before its colon
	FormField        Form = "field"                       // unlisted in a request, hop-by-hop or encoded in an answer
	FormFieldValue   Form = "field value"                 // a listed field with another value than the listed ones
	FormDuplicate    Form = "repeated field"              // a field that may stand once only
	FormMissing      Form = "missing field"               // a field that every request has
	FormLength       Form = "content length"              // not a plain decimal number
	FormBothLengths  Form = "content length and encoding" // Content-Length beside Transfer-Encoding
	FormEncoding     Form = "transfer encoding"           // on a request, or other than chunked
	FormFraming      Form = "framing"                     // a 200 that is not chunked, another answer without a length
	FormChunkSize    Form = "chunk size"                  // not plain hexadecimal, or above MaxChunk
	FormExtension    Form = "chunk extension"             // anything between a chunk's size and its CRLF
	FormChunkEnd     Form = "chunk end"                   // a chunk not followed by CRLF
	FormTrailer      Form = "trailer"                     // any trailer; none is listed
	FormAfterEnd     Form = "bytes after the end"         // a second message on the stream
	FormMedia        Form = "media type"                  // an answer that is neither JSON nor an event stream
	FormEmptyAnswer  Form = "empty answer"                // a JSON document without a byte
	FormAnswerSize   Form = "answer size"                 // a JSON document above MaxAnswer
	FormDisagreement Form = "disagreement"                // net/http read a head otherwise than the scanner
)

// ProtocolError says that the peer's message has a refused form. The stream is
// reset; the peer is not told why.
type ProtocolError struct {
	Form Form
}

func (e *ProtocolError) Error() string { return "tunnel: refused: " + string(e.Form) }

func refuse(f Form) error { return &ProtocolError{Form: f} }
