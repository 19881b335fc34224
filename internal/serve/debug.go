package serve

import (
	"net/http"
	"net/http/pprof"
	"os"
	"runtime"
)

// Held is what a process holds at a moment: the figures that must come back to
// where they were when work has ended.
type Held struct {
	Goroutines int    `json:"goroutines"`
	Files      int    `json:"files"`      // open descriptors, sockets among them; -1 where the system does not tell
	HeapInuse  uint64 `json:"heap_inuse"` // bytes of heap spans in use, after a collection
}

// Debug is the handler of net/http/pprof, and of /debug/held, which collects
// garbage and then answers with a Held. It has a port of its own, off unless
// asked for: profiles show what a program does and stall it while they run.
func Debug() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	mux.HandleFunc("GET /debug/held", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, held())
	})
	return mux
}

func held() Held {
	// The first collection empties pools into their victims, the second those.
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	h := Held{Goroutines: runtime.NumGoroutine(), Files: -1, HeapInuse: m.HeapInuse}
	if open, err := os.ReadDir("/dev/fd"); err == nil {
		h.Files = len(open) - 1 // without the one that reads
	}
	return h
}
