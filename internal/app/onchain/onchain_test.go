package onchain

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/config"
	"github.com/culvert-net/culvert/ledger"
	"github.com/culvert-net/culvert/mesh/world"
)

const (
	contract = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
	code     = "0x1111111111111111111111111111111111111111111111111111111111111111"
)

// load is what a program makes of a [chain] section.
func load(t testing.TB, text string) (ProviderConfig, error) {
	t.Helper()
	var cfg struct {
		Chain ProviderConfig `toml:"chain"`
	}
	cfg.Chain = ProviderDefaults()
	file := filepath.Join(t.TempDir(), "config.toml")
	if err := os.WriteFile(file, []byte("[chain]\n"+text), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := config.Load(&cfg, config.Options{Program: "gateway", File: file})
	return cfg.Chain, err
}

func TestValidate(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		code       int    // 0: it is fine
		says       string // of the error
	}{
		{name: "nothing"},
		{name: "own node", text: `url = "http://127.0.0.1:8545"`},
		{name: "own network", text: `url = "http://192.168.1.7:8545"`},
		{name: "container", text: `url = "http://geth:8545"`},
		{name: "name in one's network", text: `url = "http://node.home.arpa:8545"`},
		{name: "over tailscale", text: `url = "http://100.100.1.2:8545"`},
		{name: "v6", text: `url = "http://[fd00::1]:8545"`},
		{name: "all", text: `preset = "filecoin"` + "\nchain_id = 314\ncontract = \"" + contract + "\"\ncode_hash = \"" + code + "\"\ndeploy_block = 5\nconfirmations = 0\nclaim_at = \"0.5 eth\""},
		{name: "clearnet accepted", text: "url = \"https://rpc.example/v1/k3y\"\nvia = \"clearnet\"\naccept_clearnet = true"},

		{name: "for bridges", text: "url = \"http://127.0.0.1:1234/rpc/v1\"\nserve = true"},
		{name: "a devchain for bridges", text: "preset = \"dev\"\nserve = true"},
		{name: "nothing for bridges", text: "preset = \"filecoin\"\nserve = true", code: app.ExitUsage, says: "node of your own"},
		{name: "another's server for bridges", text: "url = \"https://rpc.example/v1/k3y\"\nvia = \"clearnet\"\naccept_clearnet = true\nserve = true", code: app.ExitUsage, says: "node of your own"},

		{name: "clearnet not accepted", text: "url = \"https://rpc.example/v1/k3y\"\nvia = \"clearnet\"", code: app.ExitRefused, says: "chain.url: the owner of rpc.example sees"},
		{name: "clearnet as one's own", text: `url = "https://rpc.example/v1/k3y"`, code: app.ExitRefused, says: "neither on this machine"},
		{name: "public address", text: "url = \"https://203.0.113.9\"", code: app.ExitRefused, says: "203.0.113.9"},
		{name: "public address as a number", text: "url = \"https://3405803785\"", code: app.ExitRefused, says: "neither"},
		{name: "in the clear", text: "url = \"http://rpc.example\"\nvia = \"clearnet\"\naccept_clearnet = true", code: app.ExitRefused, says: "use https"},
		{name: "no URL", text: `url = "k3y"`, code: app.ExitUsage, says: "no address such as"},
		{name: "other scheme", text: `url = "ws://127.0.0.1:8546/k3y"`, code: app.ExitUsage, says: "no address such as"},
		{name: "bad URL", text: `url = "http://[k3y"`, code: app.ExitUsage, says: "no address such as"},
		{name: "other way", text: `via = "tor"`, code: app.ExitUsage, says: "own, circuit or clearnet"},
		{name: "gateway over circuits", text: `via = "circuit"`, code: app.ExitUsage, says: "builds no circuits"},
		{name: "circuit with a URL", text: "via = \"circuit\"\nurl = \"http://127.0.0.1/\"", code: app.ExitUsage, says: "remove url"},
		{name: "preset", text: `preset = "ethereum"`, code: app.ExitUsage, says: "filecoin, calibration and dev"},
		{name: "preset and number", text: "preset = \"dev\"\nchain_id = 1", code: app.ExitUsage, says: "preset \"dev\" is chain 31337"},
		{name: "negative number", text: "chain_id = -1", code: app.ExitUsage, says: "chain_id"},
		{name: "contract", text: `contract = "0x12"`, code: app.ExitUsage, says: "contract: an address is 0x and 40"},
		{name: "mistyped contract", text: `contract = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD"`, code: app.ExitUsage, says: "mistyped"},
		{name: "zero contract", text: `contract = "0x0000000000000000000000000000000000000000"`, code: app.ExitUsage, says: "zero address"},
		{name: "code", text: `code_hash = "11"`, code: app.ExitUsage, says: "code_hash: a hash is 0x and 64"},
		{name: "zero code", text: `code_hash = "0x` + strings.Repeat("0", 64) + `"`, code: app.ExitUsage, says: "zeros"},
		{name: "block", text: "deploy_block = -1", code: app.ExitUsage, says: "no block"},
		{name: "confirmations", text: "confirmations = 10001", code: app.ExitUsage, says: "between 0 and 10000"},
		{name: "claim_at", text: `claim_at = "20"`, code: app.ExitUsage, says: "has no unit"},
		{name: "unknown", text: `claims = 1`, code: app.ExitUsage, says: "unknown key"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := load(t, tt.text)
			if got := app.Code(app.Configured(err)); got != tt.code {
				t.Fatalf("code %d, want %d: %v", got, tt.code, err)
			}
			if err != nil && (!strings.Contains(err.Error(), tt.says) || !strings.Contains(err.Error(), "config.toml:")) {
				t.Errorf("%v; want its line, and %q", err, tt.says)
			}
			if err != nil && strings.Contains(err.Error(), "k3y") {
				t.Errorf("%v shows what may be a key", err)
			}
		})
	}
}

func withChain(c *world.Chain) *world.World {
	return &world.World{Phrase: "try", Charter: &world.Charter{Chain: c}}
}

func TestJoin(t *testing.T) {
	address, err := ledger.ParseAddress(contract)
	if err != nil {
		t.Fatal(err)
	}
	charter := &world.Chain{ID: 31337, Contract: address, RuntimeCodeHash: world.Hash{1}}
	other := `contract = "0x00000000000000000000000000000000000000aa"` + "\n"
	for _, tt := range []struct {
		name, text string
		world      *world.World
		want       *Settings
		code       int
		says       string
	}{
		{name: "nothing", world: withChain(nil)},
		{name: "world only", world: withChain(charter)},
		{name: "no world, nothing", text: ""},
		{
			name: "from the world", text: "url = \"http://127.0.0.1:1\"\ndeploy_block = 7", world: withChain(charter),
			want: &Settings{Domain: ledger.Domain{ChainID: 31337, Contract: address}, CodeHash: ledger.Hash{1}, Via: ViaOwn, URL: "http://127.0.0.1:1", DeployBlock: 7, Confirmations: defaultConfirmations},
		},
		{
			name: "from the world, of a chain that has a name", text: "url = \"http://127.0.0.1:1\"",
			world: withChain(&world.Chain{ID: 314159, Contract: address, RuntimeCodeHash: world.Hash{1}}),
			want:  &Settings{Preset: "calibration", Domain: ledger.Domain{ChainID: 314159, Contract: address}, CodeHash: ledger.Hash{1}, Via: ViaOwn, URL: "http://127.0.0.1:1", Confirmations: 30},
		},
		{
			name: "preset", text: `preset = "dev"`, world: withChain(charter),
			want: &Settings{Preset: "dev", Domain: ledger.Domain{ChainID: 31337, Contract: address}, CodeHash: ledger.Hash{1}, Via: ViaOwn, URL: "http://127.0.0.1:8545"},
		},
		{
			name: "a world without money's own", text: "preset = \"calibration\"\nurl = \"http://127.0.0.1:1\"\nconfirmations = 3\ncontract = \"" + contract + "\"\ncode_hash = \"" + code + "\"", world: withChain(nil),
			want: &Settings{Preset: "calibration", Domain: ledger.Domain{ChainID: 314159, Contract: address}, CodeHash: hash(t, code), Via: ViaOwn, URL: "http://127.0.0.1:1", Confirmations: 3},
		},
		{name: "other chain", text: "url = \"http://127.0.0.1:1\"\nchain_id = 1", world: withChain(charter), code: app.ExitRefused, says: "chain.chain_id: the charter of world \"try\" says 31337, and this 1"},
		{name: "other preset", text: `preset = "filecoin"`, world: withChain(charter), code: app.ExitRefused, says: "chain.preset"},
		{name: "other contract", text: other, world: withChain(charter), code: app.ExitRefused, says: "chain.contract"},
		{name: "other code", text: `code_hash = "` + code + `"`, world: withChain(charter), code: app.ExitRefused, says: "chain.code_hash"},
		{name: "no chain", text: "url = \"http://127.0.0.1:1\"", world: withChain(nil), code: app.ExitUsage, says: "chain.chain_id"},
		{name: "no contract", text: `preset = "dev"`, world: withChain(nil), code: app.ExitUsage, says: "chain.contract"},
		{name: "no code", text: "preset = \"dev\"\n" + other, code: app.ExitUsage, says: "chain.code_hash"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cfg, err := load(t, tt.text)
			if err != nil {
				t.Fatal(err)
			}
			got, err := Join(cfg.Config, tt.world)
			if code := app.Code(app.Configured(err)); code != tt.code || err != nil && !strings.Contains(err.Error(), tt.says) {
				t.Fatalf("code %d, want %d that says %q: %v", code, tt.code, tt.says, err)
			}
			if err == nil && (got == nil) != (tt.want == nil) || got != nil && tt.want != nil && *got != *tt.want {
				t.Errorf("Join = %+v, want %+v", got, tt.want)
			}
		})
	}
	// Over circuits there is no address, and there is a chain all the same.
	c := Defaults()
	c.Via = ViaCircuit
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	if s, err := Join(c, withChain(charter)); err != nil || s == nil || s.URL != "" || s.Clearnet() {
		t.Errorf("over circuits: %+v, %v", s, err)
	}
	// A session key's contract is known where nobody is asked.
	if d, err := Domain(Defaults(), withChain(charter)); err != nil || d != (ledger.Domain{ChainID: 31337, Contract: address}) {
		t.Errorf("Domain = %+v, %v", d, err)
	}
	if _, err := Domain(Defaults(), nil); err == nil {
		t.Error("a contract out of nothing")
	}
}

func hash(t *testing.T, s string) ledger.Hash {
	t.Helper()
	h, err := ledger.ParseHash(s)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// Whoever accepted the clearnet once is told of it ever after, and a key in the
// address is not.
func TestStatusKeepsSaying(t *testing.T) {
	s := &Settings{Preset: "filecoin", Domain: ledger.Domain{ChainID: 314}, Via: ViaClearnet, URL: "https://user:k3y@rpc.example/v1/k3y?k3y"}
	var rows strings.Builder
	s.Status().Rows(func(name, format string, args ...any) {
		text, err := json.Marshal(append([]any{name, format}, args...))
		if err != nil {
			t.Error(err)
		}
		rows.Write(text)
	})
	text, err := json.Marshal(s.Status())
	if err != nil {
		t.Fatal(err)
	}
	for _, said := range []string{rows.String(), string(text)} {
		if !strings.Contains(said, "sees from which address") || !strings.Contains(said, "rpc.example") || strings.Contains(said, "k3y") {
			t.Errorf("the status is %s", said)
		}
	}
	own := &Settings{Via: ViaOwn, URL: "http://127.0.0.1:8545"}
	if own.Status().Warning != "" {
		t.Errorf("one's own node: %q", own.Status().Warning)
	}
	if (*Settings)(nil).Status() != nil {
		t.Error("no chain has a status")
	}
}

func TestParseClaimAt(t *testing.T) {
	for text, want := range map[string]ClaimAt{
		"20 gas": {Gas: 20}, " 1  gas ": {Gas: 1}, "3000000 tokens": {Tokens: 3_000_000}, "50 gwei": {Money: ledger.Wei(50_000_000_000)}, "7 wei": {Money: ledger.Wei(7)},
	} {
		if got, err := ParseClaimAt(text); err != nil || got != want {
			t.Errorf("%q = %+v, %v; want %+v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "20", "0 gas", "1.5 gas", "-1 gas", "1000001 gas", "0 tokens", "18446744073709551616 tokens", "0 eth", "1 btc", "0.1 wei", "gas"} {
		if got, err := ParseClaimAt(text); err == nil || got != (ClaimAt{}) {
			t.Errorf("%q = %+v, %v; want an error", text, got, err)
		}
	}
}

func FuzzConfig(f *testing.F) {
	f.Add("https://rpc.example/v1", "clearnet", true, contract, code, 1, 2, 3, "20 gas", "dev")
	f.Add("http://127.0.0.1:8545", "own", false, "", "", 0, 0, -1, "1 eth", "")
	f.Add("http://[::ffff:203.0.113.9%25x]:1", "own", false, "", "", 0, 0, -1, "1 tokens", "filecoin")
	f.Fuzz(func(t *testing.T, url, via string, accept bool, contract, code string, id, block, confirmations int, claim, preset string) {
		c := ProviderConfig{Config: Config{Preset: preset, URL: url, Via: via, AcceptClearnet: accept, ChainID: id, Contract: contract, CodeHash: code, DeployBlock: block, Confirmations: confirmations}, ClaimAt: claim}
		err := c.Validate()
		if err != nil {
			if _, ok := errors.AsType[*config.Error](err); !ok {
				t.Fatalf("%v names no key", err)
			}
			return
		}
		s, err := Join(c.Config, nil)
		if err != nil || s == nil {
			return
		}
		if s.Clearnet() && (!accept || via != ViaClearnet || s.Status().Warning == "") {
			t.Fatalf("%q is asked over the clearnet, and nobody agreed", url)
		}
	})
}
