package cli

import (
	"context"
	"errors"
	"io"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
)

// connection is a way to a cluster.
type connection struct {
	control.Control
	closer io.Closer
	names  map[task.NodeID]string // filled by nodeName
}

func (c *connection) close() {
	if c.closer != nil {
		_ = c.closer.Close() // nothing of ours is on its way any more
	}
}

// connect reaches a cluster within the time a verb waits.
func (env *environment) connect() (*connection, error) {
	cfg, err := env.configuration()
	if err != nil {
		return nil, err
	}
	env.logFor(cfg, quietLog)
	wait, err := env.wait()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(env.ctx, wait)
	defer cancel()
	c, closer, err := env.Dial(ctx, cfg)
	if err != nil {
		return nil, withHints(err)
	}
	return &connection{Control: c, closer: closer}, nil
}

// withHints says what can be done when nobody dispatches.
func withHints(err error) error {
	var e *task.Error
	if !errors.As(err, &e) || e.Kind != task.KindNoDispatcher {
		return err
	}
	return (&task.Error{Kind: e.Kind, Message: err.Error()}).WithHint(noDispatcherHints)
}

const noDispatcherHints = "is one running?    octaskly status\n" +
	"start one here:    octaskly dispatcher\n" +
	"know its address?  octaskly --dispatcher HOST …\n" +
	"only here and now: octaskly run --solo …"

// answer is a context for one question to the cluster.
func (env *environment) answer() (context.Context, context.CancelFunc) {
	wait, err := env.wait()
	if err != nil {
		wait = defaultTimeout
	}
	return context.WithTimeout(env.ctx, wait)
}

// ask reaches a cluster, asks it one thing, and leaves.
func (env *environment) ask(f func(ctx context.Context, c *connection) error) error {
	c, err := env.connect()
	if err != nil {
		return err
	}
	defer c.close()
	ctx, cancel := env.answer()
	defer cancel()
	err = f(ctx, c)
	if err != nil && errors.Is(err, context.DeadlineExceeded) && task.KindOf(err) == task.KindInternal {
		return task.Errorf(task.KindTimeout, "no answer in time").WithHint("wait longer with --timeout 1m, or see octaskly status")
	}
	return withHints(err)
}

// nodeName gives the name of a node. The list is fetched once; a node that is
// not in it is shown by its short id.
func (c *connection) nodeName(ctx context.Context) func(task.NodeID) string {
	return func(id task.NodeID) string {
		if id == "" {
			return ""
		}
		if c.names == nil {
			c.names = map[task.NodeID]string{}
			nodes, err := c.Nodes(ctx)
			if err == nil {
				for i := range nodes {
					c.names[nodes[i].ID] = nodes[i].Name
				}
			}
		}
		if n := c.names[id]; n != "" {
			return n
		}
		return id.Short()
	}
}
