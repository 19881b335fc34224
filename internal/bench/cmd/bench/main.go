// Command bench is internal/bench as a program.
package main

import (
	"os"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/bench"
)

func main() { os.Exit(app.Main(bench.Command())) }
