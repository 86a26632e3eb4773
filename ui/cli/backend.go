package cli

import (
	"context"
	"io"

	"github.com/adauldev/octaskly/node"
	"github.com/adauldev/octaskly/node/config"
	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
)

// Backend is what stands behind the verbs. A nil function is something this
// build cannot do; the verb says so.
type Backend struct {
	// Dial reaches a cluster: the node that runs here, else the dispatcher by
	// this user's membership. It gives up when ctx ends. A failure to find
	// anybody is of kind no_dispatcher.
	Dial func(ctx context.Context, cfg *config.Loaded) (control.Control, io.Closer, error)
	// Serve runs a node until it has stopped. See Serving.
	Serve func(s Serving) error
	// Solo starts a private dispatcher and worker in this process that keep
	// nothing. Close waits until they have ended.
	Solo func(ctx context.Context, cfg *config.Loaded) (control.Control, io.Closer, error)
	// Join asks to become a member with a code somebody gave us.
	Join func(ctx context.Context, cfg *config.Loaded, code string) (control.Identity, error)
	// Running names the nodes of this user that run on this machine now.
	Running func(cfg *config.Loaded) ([]string, error)
	// Examine looks for what keeps a node from working on this machine.
	Examine func(ctx context.Context, cfg *config.Loaded) []node.Finding
	// Bench measures the cluster behind a Control.
	Bench func(ctx context.Context, c control.Control, o BenchOptions) (BenchReport, error)
	// Screen says that a person at a terminal gets the full screen.
	Screen bool
}

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
