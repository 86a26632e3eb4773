package cli

import (
	"context"
	"io"
	"log/slog"
	"strings"

	"github.com/adauldev/octaskly/node"
	"github.com/adauldev/octaskly/node/client"
	"github.com/adauldev/octaskly/node/config"
	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
)

// Dialer reaches a cluster: the node that runs here, else the dispatcher by this
// user's membership. It gives up when ctx ends. A failure to find anybody is of
// kind no_dispatcher.
type Dialer func(ctx context.Context, cfg *config.Loaded) (control.Control, io.Closer, error)

// Serving is one node to be run.
type Serving struct {
	// Drain ends at the first signal: take no more work, let what runs go on
	// for Config.DrainTimeout. Cut ends at the second: stop now.
	Drain, Cut context.Context
	Config     *config.Loaded
	Paths      config.Paths
	Join       string    // a code to become a member with; empty waits to be let in
	Role       task.Role // RoleDispatcher, RoleWorker, or empty for whatever is needed
	// ShowCode shows the person the code that lets this node in; nil where
	// nobody looks at a terminal.
	ShowCode func(code string)
	// Ready is called once the node listens, with a Control of its own. It
	// returns at once.
	Ready func(c control.Control)
}

// serveInProcess runs a node in this process until it has stopped.
func serveInProcess(s Serving) error {
	n, err := node.New(node.Options{
		Config: &s.Config.Config, Paths: s.Paths, Role: s.Role, Join: s.Join, ShowCode: s.ShowCode, Version: Version(), Logger: slog.Default(),
		PortAsked: s.Config.Given("port"), REST: true,
	})
	if err != nil {
		return err
	}
	return n.Run(s.Drain, s.Cut, s.Ready)
}

// dialFrom is the real Dialer of the user whose directories these are.
func dialFrom(paths config.Paths) Dialer {
	return func(ctx context.Context, cfg *config.Loaded) (control.Control, io.Closer, error) {
		if cfg.From("dispatcher").Kind == "flag" && cfg.NodeDir == "" {
			if names, _ := client.Running(ctx, paths); len(names) > 0 {
				return nil, nil, task.Errorf(task.KindUsage, "--dispatcher %s: your node %s runs here, and commands go through it to its own dispatcher", cfg.Dispatcher, strings.Join(names, ", ")).
					WithHint("leave --dispatcher out, or stop that node first")
			}
		}
		return client.Dial(ctx, &cfg.Config, paths, Version())
	}
}

// soloConfiguration is the configuration of a private cluster, which no other
// can be named beside.
func (env *environment) soloConfiguration() (*config.Loaded, error) {
	cfg, err := env.configuration()
	if err != nil {
		return nil, err
	}
	for _, key := range []string{"dispatcher", "dispatcher-port", "node-dir"} {
		if cfg.From(key).Kind == "flag" {
			return nil, task.Errorf(task.KindUsage, "--%s and --solo exclude each other: a private cluster is nowhere else", key)
		}
	}
	return cfg, nil
}

// openSolo starts a private dispatcher and worker in this process that keep
// nothing. Closing the connection waits until they have ended.
func openSolo(env *environment, cfg *config.Loaded) (*connection, error) {
	env.logFor(cfg, quietLog)
	c, closer, err := node.Solo(env.ctx, &cfg.Config, Version(), slog.Default())
	if err != nil {
		return nil, err
	}
	return &connection{Control: c, closer: closer}, nil
}
