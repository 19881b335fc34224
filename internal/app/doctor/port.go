package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"

	"github.com/culvert-net/culvert/api/backend/openai"
	"github.com/culvert-net/culvert/internal/serve"
)

// Port says whether a local address is free. flag is what chooses another, and
// again the command that it is given to. Whether others may reach it is not
// looked at.
func Port(ctx context.Context, flag, addr, again string) Finding {
	l, err := serve.ListenAll(flag, []string{addr}, "")
	if err == nil {
		serve.CloseAll(l)
		return Fine("%s is free", addr)
	}
	if _, taken := errors.AsType[*serve.TakenError](err); !taken {
		return Bad("Choose another address: "+again+" "+flag+" 127.0.0.1:PORT", "%v", err)
	}
	return Bad(fmt.Sprintf("Stop that program, or choose another port: %s %s 127.0.0.1:PORT", again, flag),
		"%s is taken by %s", addr, Holder(ctx, addr))
}

// Holder says who listens at an address of this machine, as far as that can be
// found out: by what it answers, else by what the system says of it.
func Holder(ctx context.Context, addr string) string {
	process := holderProcess(addr)
	what := answering(ctx, addr)
	switch {
	case what != "" && process != "":
		return what + " (" + process + ")"
	case what+process != "":
		return what + process
	}
	return "another program"
}

// answering asks who is there, over HTTP.
func answering(ctx context.Context, addr string) string {
	ctx, cancel := context.WithTimeout(ctx, holderLimit)
	defer cancel()
	transport := &http.Transport{DisableKeepAlives: true}
	for _, path := range []string{"/", "/status"} {
		var said struct {
			Name    string `json:"name"`
			Program string `json:"program"`
		}
		if getJSON(ctx, transport, "http://"+addr+path, &said) != nil {
			continue
		}
		switch {
		case said.Name == "culvert":
			return "another bridge"
		case said.Program == "bridge" || said.Program == "gateway":
			return "another " + said.Program
		}
	}
	if kind, err := openai.Detect(ctx, "http://"+addr); err == nil && kind != openai.Other {
		return string(kind)
	}
	return ""
}

// getJSON decodes what url answers with 200.
func getJSON(ctx context.Context, transport *http.Transport, url string, v any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Accept", "application/json")
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d", resp.StatusCode)
	}
	return json.NewDecoder(io.LimitReader(resp.Body, maxBanner)).Decode(v)
}

// accepts reports whether anything takes connections at addr.
func accepts(ctx context.Context, addr string) bool {
	d := net.Dialer{Timeout: tcpLimit}
	conn, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}
