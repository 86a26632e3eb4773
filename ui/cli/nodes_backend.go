package cli

import (
	"context"
	"io"
	"log/slog"
	"strings"

	"github.com/adauldev/octaskly/node"
	"github.com/adauldev/octaskly/node/config"
	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
)

// Nodes is the real Backend: nodes in this process and on this network.
func Nodes() Backend {
	return Backend{Screen: true, Serve: serveHere, Solo: soloHere, Bench: runBench, Join: joinHere, Dial: dialHere, Running: runningHere, Examine: examineHere}
}

func serveHere(s Serving) error {
	n, err := node.New(node.Options{
		Config: &s.Config.Config, Paths: s.Paths, Role: s.Role, Join: s.Join, ShowCode: s.ShowCode, Version: Version(), Logger: slog.Default(),
		PortAsked: s.Config.Given("port"),
	})
	if err != nil {
		return err
	}
	return n.Run(s.Drain, s.Cut, s.Ready)
}

func soloHere(ctx context.Context, cfg *config.Loaded) (control.Control, io.Closer, error) {
	return node.Solo(ctx, &cfg.Config, Version(), slog.Default())
}

func dialHere(ctx context.Context, cfg *config.Loaded) (control.Control, io.Closer, error) {
	p := config.DefaultPaths()
	if cfg.From("dispatcher").Kind == "flag" && cfg.NodeDir == "" {
		if names, _ := node.Running(ctx, p); len(names) > 0 {
			return nil, nil, task.Errorf(task.KindUsage, "--dispatcher %s: your node %s runs here, and commands go through it to its own dispatcher", cfg.Dispatcher, strings.Join(names, ", ")).
				WithHint("leave --dispatcher out, or stop that node first")
		}
	}
	return node.Dial(ctx, &cfg.Config, p, Version())
}

func runningHere(*config.Loaded) ([]string, error) {
	return node.Running(context.Background(), config.DefaultPaths())
}

func examineHere(ctx context.Context, cfg *config.Loaded) []node.Finding {
	return node.Examine(ctx, &cfg.Config, config.DefaultPaths(), Version())
}

func joinHere(ctx context.Context, cfg *config.Loaded, code string) (control.Identity, error) {
	return node.Join(ctx, node.Options{
		Config: &cfg.Config, Paths: config.DefaultPaths(), Version: Version(), Logger: slog.Default(), Join: code,
	})
}
