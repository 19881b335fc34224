// Command gateway is internal/app/gateway as a program.
package main

import (
	"os"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/gateway"
)

func main() { os.Exit(app.Main(gateway.Command())) }
