package layers

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/google/pprof/profile"
)

// Layer is a part of the work.
type Layer string

// The layers, as tables list them: what is ours first.
const (
	API      Layer = "API, tunnel, JSON"
	Circuits Layer = "circuits and streams"
	Onion    Layer = "onion layers, handshakes"
	Mesh     Layer = "links (libp2p, yamux)"
	Noise    Layer = "encryption of links"
	HTTP     Layer = "net/http"
	Sockets  Layer = "system calls of sockets"
	Schedule Layer = "goroutines, threads, timers"
	Memory   Layer = "memory and its collection"
	Rest     Layer = "the rest"
)

// All is every layer in the order of tables.
var All = []Layer{API, Circuits, Onion, Mesh, Noise, HTTP, Sockets, Schedule, Memory, Rest}

// rules are tried for each frame from the innermost outwards, the first that
// fits decides. What serves every layer (copying, hashing, maps, standard
// library) has none, and belongs to whoever called it.
var rules = []struct {
	prefix string
	layer  Layer
}{
	{"runtime.gc", Memory},
	{"runtime.bgsweep", Memory},
	{"runtime.bgscavenge", Memory},
	{"runtime.mallocgc", Memory},
	{"runtime.newstack", Memory},
	{"runtime.(*mheap)", Memory},
	{"runtime.schedule", Schedule},
	{"runtime.findRunnable", Schedule},
	{"runtime.mcall", Schedule},
	{"runtime.futex", Schedule},
	{"runtime.ready", Schedule},
	{"runtime.goready", Schedule},
	{"runtime.wakep", Schedule},
	{"runtime.netpoll", Schedule},
	{"runtime.mstart", Schedule},
	{"runtime.sysmon", Schedule},
	{"runtime.selectgo", Schedule},
	{"runtime.chansend", Schedule},
	{"runtime.chanrecv", Schedule},
	{"runtime.gopark", Schedule},
	{"runtime.newproc", Schedule},
	{"runtime.goexit0", Schedule},
	{"sync.", Schedule},
	{"time.", Schedule},
	{"context.", Schedule},
	{"internal/poll.", Sockets},
	{"github.com/flynn/noise.", Noise},
	{"github.com/libp2p/go-libp2p/p2p/security/noise.", Noise},
	{"github.com/libp2p/", Mesh},
	{"github.com/multiformats/", Mesh},
	{module + "mesh.", Mesh},
	{module + "mesh/", Mesh},
	{module + "circuit/onion.", Onion},
	{module + "circuit.", Circuits},
	{module + "circuit/", Circuits},
	{module + "internal/app/node.", Circuits},
	{module + "internal/telemetry.", API},
	{module + "internal/app/", API},
	{module + "api.", API},
	{module + "api/", API},
	{"github.com/go-chi/", HTTP},
	{"net/http.", HTTP},
	{"net/http/", HTTP},
	{"net.", HTTP},
}

const module = "github.com/culvert-net/culvert/"

// of is the layer of a stack, its innermost frame first.
func of(stack []string) Layer {
	for _, frame := range stack {
		// goroutines are started by a function of sync that runs them to their end.
		if strings.HasPrefix(frame, "sync.(*WaitGroup).Go") {
			continue
		}
		for _, r := range rules {
			if strings.HasPrefix(frame, r.prefix) {
				return r.layer
			}
		}
	}
	return Rest
}

// errNoCPU is a profile of something else.
var errNoCPU = errors.New("the profile has no CPU time in it")

// Read adds up the CPU time of each layer in a profile.
func Read(r io.Reader) (map[Layer]time.Duration, error) {
	p, err := profile.Parse(r)
	if err != nil {
		return nil, fmt.Errorf("reading a CPU profile: %w", err)
	}
	at := -1
	for i, t := range p.SampleType {
		if t.Type == "cpu" && t.Unit == "nanoseconds" {
			at = i
		}
	}
	if at < 0 {
		return nil, errNoCPU
	}
	sum := make(map[Layer]time.Duration)
	for _, s := range p.Sample {
		var stack []string
		for _, l := range s.Location {
			for _, line := range l.Line { // inlined functions first
				if line.Function != nil {
					stack = append(stack, line.Function.Name)
				}
			}
		}
		sum[of(stack)] += time.Duration(s.Value[at])
	}
	return sum, nil
}
