package bridge

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"

	"github.com/culvert-net/culvert/api/keys"
	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/keystore"
	"github.com/culvert-net/culvert/internal/files"
	"github.com/culvert-net/culvert/internal/kv"
	"github.com/culvert-net/culvert/internal/kv/bolt"
	"github.com/culvert-net/culvert/internal/peer"
	"github.com/culvert-net/culvert/internal/serve"
)

// keyring is the keys of a data directory, while it is open.
type keyring struct {
	*keys.Ring
	file *bolt.Store

	// local tells own processes from others'; nil: unknowable says why not.
	local      func(context.Context) error
	unknowable error
}

// openKeys opens the keys of a data directory that is open.
func openKeys(ctx context.Context, data *app.Data, log *slog.Logger) (_ *keyring, err error) {
	file, err := bolt.Open(data.Path(keystore.File))
	if err != nil {
		return nil, keysError(err)
	}
	k := &keyring{file: file, local: peer.Check}
	store, err := keystore.New(ctx, file)
	if err == nil {
		k.Ring, err = keys.Open(ctx, store, log)
	}
	if err != nil {
		return nil, errors.Join(keysError(err), file.Close())
	}
	if k.unknowable = peer.Works(); k.unknowable != nil {
		k.local = nil
	}
	return k, nil
}

// keysError gives err the exit code it calls for.
func keysError(err error) error {
	switch {
	case errors.Is(err, files.ErrNotPrivate):
		return app.Refused(err)
	case errors.Is(err, kv.ErrDamaged), errors.Is(err, keystore.ErrNewer):
		return app.Usage(err)
	}
	return err
}

func (k *keyring) close() error { return k.file.Close() }

// errNoKeys is why an address that other machines reach is refused.
var errNoKeys = errors.New("whoever reaches it could use this bridge, since there are no keys")

// checkListen refuses to serve other machines unless they need a key, and says
// what is not protected.
func (k *keyring) checkListen(addrs []string, log *slog.Logger) error {
	for _, addr := range addrs {
		err := serve.CheckAddr("api.listen (--listen)", addr)
		switch {
		case errors.Is(err, serve.ErrPublic) && !k.Required():
			return app.Refused(fmt.Errorf("%w: %w", err, errNoKeys))
		case errors.Is(err, serve.ErrPublic):
			log.Warn("other machines can reach the API: keys and prompts travel there unencrypted, unless TLS is put in front", "listen", addr)
		}
	}
	if !k.Required() && k.local == nil {
		log.Warn("there are no keys, and any program of this machine may use the API, of other users too; make a key with: bridge keys add NAME", "err", k.unknowable)
	}
	return nil
}

// hosts are configured, and the addresses of this machine at which other
// machines are served: nobody can rebind an address.
func hosts(configured, listen []string) ([]string, error) {
	all := append([]string(nil), configured...)
	for _, addr := range listen {
		if !errors.Is(serve.CheckAddr("--listen", addr), serve.ErrPublic) {
			continue
		}
		host, _, err := net.SplitHostPort(addr)
		if err != nil {
			return nil, err
		}
		if ip, err := netip.ParseAddr(host); err == nil && !ip.IsUnspecified() {
			all = append(all, ip.String())
			continue
		}
		own, err := machine()
		if err != nil {
			return nil, err
		}
		for _, ip := range own {
			all = append(all, ip.String())
		}
	}
	return all, nil
}

// machine are the addresses of this machine.
func machine() ([]netip.Addr, error) {
	own, err := net.InterfaceAddrs()
	if err != nil {
		return nil, fmt.Errorf("addresses of this machine: %w", err)
	}
	var all []netip.Addr
	for _, a := range own {
		if prefix, err := netip.ParsePrefix(a.String()); err == nil {
			all = append(all, prefix.Addr())
		}
	}
	return all, nil
}

// baseURLs are where clients find what listens on addr. Of all addresses that is
// this machine first and then those that others may reach: nobody can dial [::].
func baseURLs(addr netip.AddrPort, own []netip.Addr) []string {
	at := func(ip netip.Addr) string { return "http://" + netip.AddrPortFrom(ip, addr.Port()).String() + "/v1" }
	if !addr.Addr().IsUnspecified() {
		return []string{at(addr.Addr())}
	}
	all := []string{at(netip.AddrFrom4([4]byte{127, 0, 0, 1}))}
	for _, ip := range own {
		if !ip.IsLoopback() && !ip.IsLinkLocalUnicast() {
			all = append(all, at(ip))
		}
	}
	return all
}

// KeysStatus is what the bridge says of its keys.
type KeysStatus struct {
	Good    int    `json:"good"`    // that may be used
	Ended   int    `json:"ended"`   // revoked or expired
	Callers string `json:"callers"` // who may call: one of the constants
}

// Who may call.
const (
	CallersKeys = "keys" // who has a key
	CallersUser = "user" // any program of the same user, or root's
	CallersAll  = "all"  // any program that can connect
)

func (k *keyring) status() *KeysStatus {
	s := &KeysStatus{Callers: CallersAll}
	for _, one := range k.List() {
		if one.Good() {
			s.Good++
		} else {
			s.Ended++
		}
	}
	switch {
	case k.Required():
		s.Callers = CallersKeys
	case k.local != nil:
		s.Callers = CallersUser
	}
	return s
}

// rows prints s for a person; nil prints nothing.
func (s *KeysStatus) rows(row func(name, format string, args ...any)) {
	switch {
	case s == nil:
	case s.Callers == CallersKeys:
		row("Keys", "%d good, %d ended; no request without one", s.Good, s.Ended)
	case s.Callers == CallersUser:
		row("Keys", "none: any key is accepted, from programs of this user (and root) only")
	default:
		row("Keys", "none: any key is accepted, FROM ANY PROGRAM OF THIS MACHINE, since this system does not say whose it is")
	}
}

// Commands to a running bridge, and what it answers.
const (
	routeKeys      = "/keys"
	routeKeyAdd    = "/keys/add"
	routeKeyRevoke = "/keys/revoke"

	maxKeyCommand = 64 << 10 // the longest list of models
)

type keyAdd struct {
	Name  string     `json:"name"`
	Rules keys.Rules `json:"rules"`
}

type keyAdded struct {
	Text  string   `json:"key"` // shown once
	Key   keys.Key `json:"about"`
	First bool     `json:"first"` // from now on, a key is needed
}

type keyRevoke struct {
	Key string `json:"key"` // name or id
}

// admin adds the commands for keys to what the admin socket serves. They are on
// no port.
func (k *keyring) admin(rest http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", rest)
	mux.HandleFunc("GET "+routeKeys, func(w http.ResponseWriter, _ *http.Request) { serve.Answer(w, k.List()) })
	mux.HandleFunc("POST "+routeKeyAdd, command(func(ctx context.Context, in keyAdd) (any, error) { return k.add(ctx, in) }))
	mux.HandleFunc("POST "+routeKeyRevoke, command(func(ctx context.Context, in keyRevoke) (any, error) { return k.Revoke(ctx, in.Key) }))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// The socket's mode says the same; this holds if somebody changed it.
		if k.local != nil {
			if err := k.local(r.Context()); err != nil {
				serve.Refuse(w, &serve.RefusedError{Status: http.StatusForbidden, Reason: "only the user who runs this bridge may command it"})
				return
			}
		}
		mux.ServeHTTP(w, r)
	})
}

func (k *keyring) add(ctx context.Context, in keyAdd) (keyAdded, error) {
	first := !k.Required()
	text, key, err := k.Add(ctx, in.Name, in.Rules)
	return keyAdded{text, key, first}, err
}

// command is the handler of a command that takes JSON.
func command[In any](do func(context.Context, In) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var in In
		d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxKeyCommand))
		d.DisallowUnknownFields()
		if err := d.Decode(&in); err != nil {
			serve.Refuse(w, &serve.RefusedError{Status: http.StatusBadRequest, Reason: "the command is not understood; is it of the same version?"})
			return
		}
		out, err := do(r.Context(), in)
		if err != nil {
			status := http.StatusConflict
			if app.Code(err) != app.ExitFailed {
				status = app.StatusOf(err)
			}
			serve.Refuse(w, &serve.RefusedError{Status: status, Reason: err.Error()})
			return
		}
		serve.Answer(w, out)
	}
}
