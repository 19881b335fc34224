// Command devchain is internal/app/devchain as a program.
package main

import (
	"os"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/devchain"
)

func main() { os.Exit(app.Main(devchain.Command())) }
