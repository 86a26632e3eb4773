// Package client is how a program that runs no node reaches the cluster: through
// a node of the same user on this machine, else as a member that dials the
// dispatcher itself.
package client

import (
	"context"
	"io"
	"time"

	"github.com/adauldev/octaskly/node/config"
	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/node/home"
	"github.com/adauldev/octaskly/node/local"
	"github.com/adauldev/octaskly/node/remote"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet/wire"
)

// AnswerTime is how long a node of this user on this machine may take to answer.
const AnswerTime = 3 * time.Second

// Dial gives a Control of the cluster that this user belongs to on this machine:
// through a node that runs here, else as a member that dials the dispatcher
// itself. With cfg.NodeDir only the node there will do. The connection is made
// anew when it breaks; the Closer ends it. The error is of KindNoDispatcher when
// neither is possible.
func Dial(ctx context.Context, cfg *config.Config, p config.Paths, version string) (control.Control, io.Closer, error) {
	c, err := dialRunning(ctx, cfg, p)
	if err == nil {
		return c, c, nil
	}
	if task.KindOf(err) != task.KindNoDispatcher {
		return nil, nil, err
	}
	if cfg.NodeDir != "" {
		return nil, nil, task.Errorf(task.KindNoDispatcher, "no node runs in %s", cfg.NodeDir)
	}
	m, err := dialAsMember(ctx, cfg, p, version)
	if err != nil {
		return nil, nil, err
	}
	return m, m, nil
}

// dialRunning connects to a node of this user that runs on this machine.
func dialRunning(ctx context.Context, cfg *config.Config, p config.Paths) (*remote.Client, error) {
	o := &runningNode{paths: p, dir: cfg.NodeDir}
	if len(o.sockets()) == 0 {
		return nil, control.NoDispatcher()
	}
	key, err := home.ReadKey(p)
	if err != nil {
		return nil, err
	}
	o.key = key
	if o.first, err = o.OpenRPC(ctx); err != nil {
		return nil, err
	}
	return remote.NewClient(o, remote.Options{}), nil
}

// runningNode opens streams to whichever node of this user answers, the one with
// a queue first.
type runningNode struct {
	paths config.Paths
	dir   string // of the only node that will do; empty is any
	key   local.Key
	first wire.Stream // opened by Dial; used once
}

var _ remote.Opener = (*runningNode)(nil)

func (o *runningNode) sockets() []local.Address {
	if o.dir == "" {
		return home.Sockets(o.paths)
	}
	path := home.NotedSocket(o.dir)
	if path == "" {
		return nil
	}
	return []local.Address{{Path: path}}
}

// OpenRPC is not called again before the first call has returned.
func (o *runningNode) OpenRPC(ctx context.Context) (wire.Stream, error) {
	if s := o.first; s != nil {
		o.first = nil
		return s, nil
	}
	last := control.NoDispatcher()
	for _, a := range o.sockets() {
		s, err := local.Dial(ctx, a.Path, o.key, local.Ask)
		if err == nil {
			return s, nil
		}
		if task.KindOf(err) != task.KindNoDispatcher {
			last = err
		}
	}
	return nil, last
}

// Running names the nodes of this user that answer on this machine.
func Running(ctx context.Context, p config.Paths) ([]string, error) {
	found := home.Sockets(p)
	if len(found) == 0 {
		return nil, nil
	}
	key, err := home.ReadKey(p)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, a := range found {
		id, err := askAt(ctx, a, key, control.Control.Identity)
		if err == nil {
			names = append(names, id.Name)
		}
	}
	return names, nil
}

// DispatcherHere is the name of the node that dispatches, as the nodes of this
// user on this machine know it, all but the one with a number.
func DispatcherHere(ctx context.Context, p config.Paths, but int) (string, bool) {
	key, err := home.LoadKey(p)
	if err != nil {
		return "", false
	}
	for _, a := range home.Sockets(p) {
		if a.N == but && a.N != 0 {
			continue
		}
		if s, err := askAt(ctx, a, key, control.Control.Status); err == nil && s.Dispatcher != "" {
			return s.Dispatcher, true
		}
	}
	return "", false
}

// askAt asks one question at a local socket, within AnswerTime.
func askAt[Reply any](ctx context.Context, a local.Address, key local.Key, ask func(control.Control, context.Context) (Reply, error)) (Reply, error) {
	ctx, cancel := context.WithTimeout(ctx, AnswerTime)
	defer cancel()
	c := remote.NewClient(local.Opener{Address: a.Path, Key: key}, remote.Options{Patience: -1})
	defer c.Close()
	return ask(c, ctx)
}
