package evmrpc

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/culvert-net/culvert/ledger/chain"
)

// A stream carries one question and its answer, each in a frame: the question as
// JSON, and a byte that says what became of it, before what was answered.
const (
	answered byte = iota // the JSON of an outcome follows; nothing follows the others
	refused              // no client of this contract asks that
	busy                 // too much is asked
	silent               // the node does not answer
	large                // the answer would be larger than maxAnswer
	verdicts             // how many there are
)

// outcome is what a node answers: a result, or an error.
type outcome struct {
	Result json.RawMessage `json:"result,omitempty"`
	Error  *fault          `json:"error,omitempty"`
}

// fault is an error of JSON-RPC.
type fault struct {
	Code    int             `json:"code"`
	Message string          `json:"message"`
	Data    json.RawMessage `json:"data,omitempty"`
}

// errGarbage is of what nobody who keeps to the protocol says.
var errGarbage = errors.New("an answer in no form that there is")

// short makes an error as small as it may be.
func (f *fault) short() {
	if len(f.Message) > maxMessage {
		f.Message = string(bytes.ToValidUTF8([]byte(f.Message[:maxMessage]), nil))
	}
	if len(f.Data) > maxReason || len(f.Data) > 0 && f.Data[0] != '"' {
		f.Data = nil // only a contract's reason is of use, which is a text of hexadecimal
	}
}

// encode puts an answer into its form.
func encode(verdict byte, o outcome) ([]byte, error) {
	if verdict != answered {
		return []byte{verdict}, nil
	}
	b, err := json.Marshal(o)
	if err != nil {
		return nil, err
	}
	if len(b) > maxAnswer {
		return []byte{large}, nil
	}
	return append([]byte{answered}, b...), nil
}

// decode reads an answer.
func decode(b []byte) (verdict byte, o outcome, err error) {
	if len(b) == 0 || b[0] >= verdicts || b[0] != answered && len(b) > 1 {
		return 0, o, errGarbage
	}
	if b[0] != answered {
		return b[0], o, nil
	}
	if err := strict(b[1:], &o); err != nil || (o.Error == nil) == (o.Result == nil) {
		return 0, outcome{}, errGarbage
	}
	if o.Error != nil {
		o.Error.short()
	}
	return answered, o, nil
}

// call is a question as an Ethereum client sends it.
type call struct {
	Version string            `json:"jsonrpc"`
	ID      json.RawMessage   `json:"id"`
	Method  string            `json:"method"`
	Params  []json.RawMessage `json:"params,omitempty"`
}

// readCall reads one from the body of a request.
func readCall(r io.Reader) (c call, err error) {
	b, err := io.ReadAll(io.LimitReader(r, chain.MaxQuestion+1))
	if err != nil {
		return c, fmt.Errorf("read a question: %w", err)
	}
	if len(b) > chain.MaxQuestion || strict(b, &c) != nil || c.Method == "" || len(c.ID) == 0 {
		return call{}, chain.ErrQuestion
	}
	return c, nil
}

// strict reads one value without fields that are not known.
func strict(b []byte, out any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(out); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errGarbage
	}
	return nil
}
