// Command octaskly turns the computers of a local network into one machine
// that runs commands.
package main

import (
	"os"
	"os/signal"
	"syscall"

	"github.com/adauldev/octaskly/ui/cli"
)

func main() {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	os.Exit(cli.Main(cli.Program{Args: os.Args[1:], Signals: signals}))
}
