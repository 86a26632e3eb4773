//go:build ignore

// Demo opens the dashboard on a simulated fleet, without the command line:
//
//	go run scripts/demo.go -nodes 8 -tasks 10000 -seed 7
package main

import (
	"context"
	"flag"
	"fmt"
	"os"

	"github.com/adauldev/octaskly/node/demo"
	"github.com/adauldev/octaskly/theme"
	"github.com/adauldev/octaskly/ui"
)

func main() {
	nodes := flag.Int("nodes", 8, "nodes")
	tasks := flag.Int("tasks", 10_000, "tasks")
	seed := flag.Uint64("seed", 7, "seed")
	fresh := flag.Bool("fresh", false, "a computer alone")
	name := flag.String("theme", "dark", "theme")
	ascii := flag.Bool("ascii", false, "ASCII only")
	depth := flag.Int("depth", 4, "0 plain, 1 mono, 2 16, 3 256, 4 true colour")
	flag.Parse()
	t, err := theme.Builtin(*name, true)
	if err == nil {
		_, err = ui.Run(context.Background(), ui.Options{Control: demo.New(demo.Options{Nodes: *nodes, Tasks: *tasks, Seed: *seed, Fresh: *fresh}),
			In: os.Stdin, Out: os.Stdout, Styles: theme.NewStyles(t, theme.Depth(*depth), *ascii), Demo: !*fresh, Dir: os.TempDir()})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
