package api

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"net/http"

	"github.com/culvert-net/culvert/api/backend"
)

// Isolation says which requests a provider may link by seeing them come over
// one circuit.
type Isolation string

const (
	// ByConversation keeps conversations apart: those of another key, of
	// another X-Culvert-Isolation header, or that begin differently.
	ByConversation Isolation = "conversation"

	// ByKey keeps keys (and headers) apart. It is for batch work, in which
	// every request is a conversation of its own and would pay for a circuit.
	ByKey Isolation = "key"
)

// isolation computes groups under a secret of this start, so that a group's
// name means nothing to whoever sees it.
type isolation struct {
	by     Isolation
	secret [32]byte
}

func newIsolation(by Isolation) (isolation, error) {
	switch by {
	case "":
		by = ByConversation
	case ByConversation, ByKey:
	default:
		return isolation{}, fmt.Errorf("api: isolation %q is neither %q nor %q", by, ByConversation, ByKey)
	}
	i := isolation{by: by}
	rand.Read(i.secret[:]) // never fails: crypto/rand crashes the program instead
	return i, nil
}

// group is the isolation group of a request whose conversation begins with
// opening.
func (i *isolation) group(r *http.Request, opening []byte) backend.Group {
	mac := hmac.New(sha256.New, i.secret[:])
	part := func(b []byte) {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(b)))
		mac.Write(n[:])
		mac.Write(b)
	}
	by := i.by
	if g := exchangeOf(r).grant; g != nil {
		part([]byte("key"))
		part([]byte(g.Key().ID))
		if own := Isolation(g.Key().Isolation); own != "" {
			by = own
		}
	} else {
		// What a client shows where nothing is asked for still tells it from
		// others.
		part([]byte("shown"))
		part([]byte(shown(r)))
	}
	part([]byte(r.Header.Get("X-Culvert-Isolation")))
	if by == ByConversation {
		part(opening)
	}
	return backend.Group(mac.Sum(nil))
}
