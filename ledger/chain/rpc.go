package chain

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/rpc"

	"github.com/culvert-net/culvert/ledger"
)

// server asks one JSON-RPC server. Blocks are taken by the hash that it names:
// on Filecoin, that is not the hash of the header's fields.
type server struct {
	client *rpc.Client
	cfg    Config

	mu      sync.Mutex
	checked bool // guarded by mu
}

func newServer(cfg Config) (*server, error) {
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	transport := cfg.Transport
	if transport == nil {
		transport = http.DefaultTransport
	}
	client, err := rpc.DialOptions(context.Background(), cfg.URL, rpc.WithHTTPClient(&http.Client{
		Transport: bounded{transport},
		// Whoever was chosen is asked, and nobody it points to.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}))
	if err != nil {
		return nil, errors.New("the URL of the chain's server cannot be used") // err holds the URL
	}
	return &server{client: client, cfg: cfg}, nil
}

// bounded cuts answers off.
type bounded struct{ next http.RoundTripper }

func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := b.next.RoundTrip(r)
	if err == nil {
		resp.Body = &boundedBody{resp.Body, maxAnswer}
	}
	return resp, err
}

type boundedBody struct {
	io.ReadCloser
	left int
}

func (b *boundedBody) Read(p []byte) (int, error) {
	if b.left == 0 {
		return 0, ErrTooLarge
	}
	n, err := b.ReadCloser.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}

// check compares the chain id and the contract's code, once.
func (s *server) check(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.checked {
		return nil
	}
	var id hexutil.Uint64
	if err := s.call(ctx, &id, "eth_chainId"); err != nil {
		return err
	}
	if n := s.cfg.Network; uint64(id) != n.ChainID {
		return fmt.Errorf("chain id %d, not %d: %w", uint64(id), n.ChainID, ErrChainID)
	}
	var code hexutil.Bytes
	if err := s.call(ctx, &code, "eth_getCode", common.Address(s.cfg.Contract), "latest"); err != nil {
		return err
	}
	if len(code) > maxCode {
		return fmt.Errorf("code of %d bytes: %w", len(code), ErrTooLarge)
	}
	if got := ledger.Hash(crypto.Keccak256(code)); got != s.cfg.CodeHash {
		what := fmt.Sprintf("its hash is %s, not %s", got, s.cfg.CodeHash)
		if len(code) == 0 {
			what = "there is none"
		}
		return fmt.Errorf("contract %s: %s: %w", s.cfg.Contract, what, ErrCode)
	}
	s.checked = true
	return nil
}

// Block is one of the chain.
type Block struct {
	Number uint64
	Hash   ledger.Hash
	Time   uint64 // Unix seconds

	parent  ledger.Hash // zero if the server does not say
	baseFee ledger.Amount
}

// latest is the newest block.
func (s *server) latest(ctx context.Context) (Block, error) { return s.block(ctx, "latest") }

// blockAt is the block of a number; errNoBlock if there is none.
func (s *server) blockAt(ctx context.Context, n uint64) (Block, error) {
	b, err := s.block(ctx, hexutil.EncodeUint64(n))
	if err == nil && b.Number != n {
		return Block{}, fmt.Errorf("block %d calls itself %d: %w", n, b.Number, ErrInconsistent)
	}
	return b, err
}

// blockBefore is the last block up to a number, since some have none.
func (s *server) blockBefore(ctx context.Context, n uint64) (Block, error) {
	for i := range uint64(maxNullRounds) {
		b, err := s.blockAt(ctx, n-min(i, n))
		if !errors.Is(err, errNoBlock) {
			return b, err
		}
	}
	return Block{}, fmt.Errorf("no block in %d heights up to %d: %w", maxNullRounds, n, ErrInconsistent)
}

func (s *server) block(ctx context.Context, which string) (Block, error) {
	var b *struct {
		Number  *hexutil.Uint64 `json:"number"`
		Hash    *common.Hash    `json:"hash"`
		Parent  common.Hash     `json:"parentHash"`
		Time    *hexutil.Uint64 `json:"timestamp"`
		BaseFee *hexutil.Big    `json:"baseFeePerGas"`
	}
	err := s.call(ctx, &b, "eth_getBlockByNumber", which, false)
	var refused *RefusedError
	if errors.As(err, &refused) && refused.says("null round", "not found", "future epoch", "requested a future") {
		return Block{}, errNoBlock
	}
	if err != nil {
		return Block{}, err
	}
	if b == nil {
		return Block{}, errNoBlock
	}
	if b.Number == nil || b.Hash == nil || b.Time == nil || *b.Hash == (common.Hash{}) {
		return Block{}, fmt.Errorf("block %s without number, hash or time: %w", which, ErrAnswer)
	}
	out := Block{Number: uint64(*b.Number), Hash: ledger.Hash(*b.Hash), Time: uint64(*b.Time), parent: ledger.Hash(b.Parent)}
	if b.BaseFee != nil {
		if out.baseFee, err = ledger.AmountOfBig(b.BaseFee.ToInt()); err != nil {
			return Block{}, fmt.Errorf("base fee of block %s: %w: %w", which, err, ErrTooLarge)
		}
	}
	return out, nil
}

// call asks one question. What it returns as an error names the method, and
// never the URL.
func (s *server) call(ctx context.Context, out any, method string, args ...any) error {
	within, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	var raw json.RawMessage
	if err := s.client.CallContext(within, &raw, method, args...); err != nil {
		return explain(ctx, method, err)
	}
	if err := json.Unmarshal(raw, out); err != nil {
		return fmt.Errorf("%s: %w: %s", method, ErrAnswer, cut(err.Error()))
	}
	return nil
}

// explain gives an error of the transport a name.
func explain(ctx context.Context, method string, err error) error {
	var (
		status   rpc.HTTPError
		coded    rpc.Error
		dataErr  rpc.DataError
		address  *url.Error
		jsonType *json.UnmarshalTypeError
		syntax   *json.SyntaxError
	)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%s: %w", method, errSlow)
	case errors.Is(err, ErrTooLarge):
		return fmt.Errorf("%s: more than %d bytes: %w", method, maxAnswer, ErrTooLarge)
	case errors.As(err, &coded):
		out := &RefusedError{Method: method, Code: coded.ErrorCode(), Text: cut(coded.Error())}
		if errors.As(err, &dataErr) {
			if text, ok := dataErr.ErrorData().(string); ok {
				out.Data, _ = hex.DecodeString(strings.TrimPrefix(text, "0x")) // what is no hex is no reason of a contract
			}
		}
		return out
	case errors.As(err, &status) && status.StatusCode == http.StatusTooManyRequests:
		return fmt.Errorf("%s: %w", method, ErrBusy)
	case errors.As(err, &status):
		return fmt.Errorf("%s: status %d %q: %w", method, status.StatusCode, cut(string(status.Body)), ErrUnreachable)
	case errors.As(err, &address):
		return fmt.Errorf("%s: %w: %w", method, ErrUnreachable, address.Err) // without the URL
	case errors.As(err, &jsonType), errors.As(err, &syntax), errors.Is(err, rpc.ErrNoResult), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return fmt.Errorf("%s: %w", method, ErrAnswer)
	default:
		return fmt.Errorf("%s: %w: %w", method, ErrUnreachable, err)
	}
}
