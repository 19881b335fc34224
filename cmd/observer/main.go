// Command observer is internal/app/observer as a program.
package main

import (
	"os"

	"github.com/culvert-net/culvert/internal/app"
	"github.com/culvert-net/culvert/internal/app/observer"
)

func main() { os.Exit(app.Main(observer.Command())) }
