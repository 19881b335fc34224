package tunnel

// chunkScanner validates a chunked body in its strictest form: a plain
// hexadecimal size without leading zeros, CRLF, that many bytes, CRLF; at the
// end a zero size and an empty line, no trailers. It looks at framing only and
// passes over data without touching it. The zero value is ready.
type chunkScanner struct {
	state chunkState
	size  int64 // of the chunk being read; then what is left of it
	digit bool  // the size has a digit
}

type chunkState uint8

const (
	chunkSize   chunkState = iota // in the size line
	chunkSizeLF                   // CR of the size line seen
	chunkData                     // in the data
	chunkCR                       // data over, its CR awaited
	chunkLF                       // data over, its LF awaited
	chunkLast                     // size line of the last chunk over
	chunkLastLF                   // CR of the last line seen
	chunkEnd                      // body over
)

func (c *chunkScanner) ended() bool { return c.state == chunkEnd }

// feed looks at the next raw bytes and returns how many belong to the body.
func (c *chunkScanner) feed(p []byte) (int, error) {
	for i := 0; i < len(p); i++ {
		b := p[i]
		switch c.state {
		case chunkSize:
			if err := c.sizeByte(b); err != nil {
				return i, err
			}
		case chunkSizeLF:
			if b != '\n' {
				return i, refuse(FormBareCR)
			}
			if c.state = chunkData; c.size == 0 {
				c.state = chunkLast
			}
		case chunkData:
			n := min(int64(len(p)-i), c.size)
			c.size -= n
			i += int(n) - 1
			if c.size == 0 {
				c.state = chunkCR
			}
		case chunkCR:
			if b != '\r' {
				return i, refuse(FormChunkEnd)
			}
			c.state = chunkLF
		case chunkLF:
			if b != '\n' {
				return i, refuse(FormChunkEnd)
			}
			c.state, c.digit = chunkSize, false
		case chunkLast:
			if b != '\r' {
				return i, refuse(FormTrailer)
			}
			c.state = chunkLastLF
		case chunkLastLF:
			if b != '\n' {
				return i, refuse(FormTrailer)
			}
			c.state = chunkEnd
		case chunkEnd:
			return i, nil
		}
	}
	return len(p), nil
}

// sizeByte takes one byte of a size line.
func (c *chunkScanner) sizeByte(b byte) error {
	v := int64(-1)
	switch {
	case '0' <= b && b <= '9':
		v = int64(b - '0')
	case 'a' <= b && b <= 'f':
		v = int64(b-'a') + 10
	case 'A' <= b && b <= 'F':
		v = int64(b-'A') + 10
	}
	switch {
	case v >= 0:
		if c.digit && c.size == 0 { // a leading zero
			return refuse(FormChunkSize)
		}
		c.size, c.digit = c.size<<4|v, true
		if c.size > MaxChunk {
			return refuse(FormChunkSize)
		}
		return nil
	case !c.digit:
		return refuse(FormChunkSize)
	case b == '\r':
		c.state = chunkSizeLF
		return nil
	case b == '\n':
		return refuse(FormBareLF)
	default:
		return refuse(FormExtension)
	}
}
