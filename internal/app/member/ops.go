package member

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/serve"
)

// Ops is what a member's owner can ask of it and tell it: through the admin
// socket while it runs, or of the open files while it does not.
type Ops struct {
	*Member
	Service *Service        // nil: the files alone
	Addrs   func() []string // where newcomers find this node, with its peer id
}

// Op is one thing that can be asked, by its route on the admin socket.
type Op[In, Out any] struct {
	Route string
	Limit time.Duration // how long it may take; 0: it is answered from memory
	Alive bool          // the files alone cannot do it
	Do    func(o *Ops, ctx context.Context, in In) (Out, error)
}

// None is for what is asked without saying more.
type None struct{}

// ErrNotRunning is for what only a member that runs can do.
var ErrNotRunning = errors.New("the observer does not run")

// Handler answers ops on the admin socket and passes everything else on.
func (o *Ops) Handler(next http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", next)
	handle(mux, o, Show())
	handle(mux, o, Invite())
	handle(mux, o, Revoke())
	handle(mux, o, Admit())
	handle(mux, o, Evict())
	handle(mux, o, Petition())
	handle(mux, o, Approve())
	handle(mux, o, Choose())
	handle(mux, o, Endorse())
	handle(mux, o, Rules())
	handle(mux, o, List())
	handle(mux, o, Explain())
	handle(mux, o, Check())
	handle(mux, o, Vector())
	handle(mux, o, Import())
	handle(mux, o, Sync())
	handle(mux, o, Terrain())
	return mux
}

// maxTold bounds what a command tells: a page of events in hexadecimal.
const maxTold = 4*maxPageBytes + 1<<20

func handle[In, Out any](mux *http.ServeMux, o *Ops, op Op[In, Out]) {
	mux.HandleFunc("POST "+op.Route, func(w http.ResponseWriter, r *http.Request) {
		var in In
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxTold)).Decode(&in); err != nil {
			serve.Refuse(w, &serve.RefusedError{Status: http.StatusBadRequest, Reason: fmt.Sprintf("reading what was asked: %v", err)})
			return
		}
		out, err := op.Do(o, r.Context(), in)
		if err != nil {
			serve.Refuse(w, &serve.RefusedError{Status: app.StatusOf(err), Reason: err.Error()})
			return
		}
		serve.Answer(w, out)
	})
}
