// Command bridge is internal/app/bridge as a program.
package main

import (
	"os"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/bridge"
)

func main() { os.Exit(app.Main(bridge.Command())) }
