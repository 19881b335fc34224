package app

import (
	"log/slog"
	"net"
	"net/http"

	"github.com/culvert-net/culvert/internal/serve"
)

// Pages are the local servers that every daemon has: its admin socket, and its
// status page and profiler unless they are switched off.
type Pages struct {
	admin         net.Listener
	status, debug net.Listener // nil: switched off
}

// BindPages takes the admin socket and the local addresses: a taken one is found
// before anything has begun.
func BindPages(data *Data, status StatusConfig, debug DebugConfig) (_ *Pages, err error) {
	p := &Pages{}
	for _, l := range []struct {
		to         *net.Listener
		flag, addr string
	}{{&p.status, "--status-listen", status.Listen}, {&p.debug, "--debug", debug.Listen}} {
		if l.addr == "" {
			continue
		}
		if *l.to, err = serve.Listen(l.flag, l.addr); err != nil {
			p.Close()
			return nil, err
		}
	}
	if p.admin, err = serve.ListenAdmin(data.Path(serve.AdminSocket)); err != nil {
		p.Close()
		return nil, err
	}
	return p, nil
}

// Close gives back what Parts has not served; what is served is closed by then.
func (p *Pages) Close() { serve.CloseAll([]net.Listener{p.admin, p.status, p.debug}) }

// StatusURL is where the status page is, without a path; "" if it is off.
func (p *Pages) StatusURL() string {
	if p.status == nil {
		return ""
	}
	return "http://" + p.status.Addr().String()
}

// Parts are the servers. status answers on the status page; admin on the admin
// socket, which lets commands do more and whose server a program may adjust.
func (p *Pages) Parts(status http.Handler, admin *serve.Server, log *slog.Logger) []Part {
	admin.Name, admin.Listeners = "admin socket", []net.Listener{p.admin}
	all := []*serve.Server{admin}
	if p.status != nil {
		all = append(all, &serve.Server{Name: "status page", Handler: serve.LocalOnly(status), Listeners: []net.Listener{p.status}})
	}
	if p.debug != nil {
		all = append(all, &serve.Server{Name: "debug server", Handler: serve.LocalOnly(serve.Debug()), Listeners: []net.Listener{p.debug}})
	}
	var parts []Part
	for _, s := range all {
		s.Log = log
		parts = append(parts, Part{Name: s.Name, Run: s.Run})
	}
	return parts
}
