// Command sandbox is internal/app/sandbox as a program.
package main

import (
	"os"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/sandbox"
)

func main() { os.Exit(app.Main(sandbox.Command())) }
