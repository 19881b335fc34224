package sandbox

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/devchain/ready"
	"github.com/culvert-net/culvert/internal/files"
)

// Ready is what a sandbox says once a request will succeed; --ready-file holds
// it as JSON.
type Ready struct {
	BaseURL   string            `json:"base_url"`             // of the API, with /v1
	StatusURL string            `json:"status_url,omitempty"` // of the bridge's status page
	PIDs      map[string]int    `json:"pids"`                 // by node
	Logs      map[string]string `json:"logs"`                 // file, by node
	Dirs      map[string]string `json:"dirs"`                 // data directory, by node
	Debug     map[string]string `json:"debug,omitempty"`      // URL of the debug server, by node
	Chain     *ready.File       `json:"chain,omitempty"`      // of the chain, if there is one
}

// write puts the file there whole.
func (r *Ready) write(path string) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("writing the ready file: %w", err)
	}
	if err := files.Write(path, append(text, '\n'), files.Private); err != nil {
		return fmt.Errorf("writing the ready file: %w", err)
	}
	return nil
}

// processes lists which process is which node, in the order of starting.
func (r *Ready) processes(out io.Writer, order []string) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, name := range order {
		fmt.Fprintf(w, "%s\tpid %d\n", name, r.PIDs[name])
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("listing the nodes: %w", err)
	}
	return nil
}

// instructions tells what to paste.
func (r *Ready) instructions(out io.Writer, models []string, binary string, dirs string) error {
	model := models[0]
	chain := ""
	if c := r.Chain; c != nil {
		chain = fmt.Sprintf("The chain                    %s, id %d, market %v; its keys are published\n"+
			"What was paid                %s balance --data %s\n"+
			"                             a provider can link all rounds of one session key with each other and with\n"+
			"                             the purchase (mode direct): not with you, as long as the chain does not\n",
			c.RPC, c.ChainID, c.Market.Address, binary, app.Shell(r.Dirs[bridgeName]))
	}
	_, err := fmt.Fprintf(out, `
Point any OpenAI client at   %[1]s
Model                        %[2]s
API key                      any

  curl -N %[1]s/chat/completions -H 'Content-Type: application/json' \
    -d '{"model":%[3]s,"stream":true,"messages":[{"role":"user","content":"Hello!"}]}'

  # Python: pip install openai
  from openai import OpenAI
  client = OpenAI(base_url="%[1]s", api_key="any")
  for chunk in client.chat.completions.create(model=%[3]s, stream=True,
          messages=[{"role": "user", "content": "Hello!"}]):
      print(chunk.choices[0].delta.content or "", end="", flush=True)

Status, in a browser         %[4]s/status
The circuits, by name        %[5]s status --data %[6]s
%[8]sLogs                         %[7]s
Kill a node by its pid above and ask again; stop everything with Ctrl-C.
`, r.BaseURL, strings.Join(models, ", "), quoted(model), r.StatusURL, binary, app.Shell(r.Dirs[bridgeName]), app.Shell(dirs), chain)
	return err
}

// quoted is s as a JSON string, which Python reads too.
func quoted(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		panic("sandbox: strings always marshal: " + err.Error())
	}
	// Inside the curl line's single quotes.
	return strings.ReplaceAll(string(b), "'", `\u0027`)
}
