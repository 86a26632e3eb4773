package node

import (
	"context"
	"io"
	"path/filepath"

	"github.com/adauldev/octaskly/node/config"
	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/node/local"
	"github.com/adauldev/octaskly/node/remote"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet/wire"
)

// Dial gives a Control of the cluster that this user belongs to on this machine:
// through a node that runs here, else as a member that dials the dispatcher
// itself. With cfg.NodeDir only the node there will do. The connection is made
// anew when it breaks; the Closer ends it. The error is of KindNoDispatcher when
// neither is possible.
func Dial(ctx context.Context, cfg *config.Config, p config.Paths, version string) (control.Control, io.Closer, error) {
	c, err := dialHere(ctx, cfg, p)
	if err == nil {
		return c, c, nil
	}
	if task.KindOf(err) != task.KindNoDispatcher {
		return nil, nil, err
	}
	if cfg.NodeDir != "" {
		return nil, nil, task.Errorf(task.KindNoDispatcher, "no node runs in %s", cfg.NodeDir)
	}
	return dialAsMember(ctx, cfg, p, version)
}

// dialHere connects to a node of this user that runs on this machine.
func dialHere(ctx context.Context, cfg *config.Config, p config.Paths) (*remote.Client, error) {
	o := &nearest{paths: p, dir: cfg.NodeDir}
	if len(o.sockets()) == 0 {
		return nil, errNoDispatcher()
	}
	key, err := local.ReadKey(filepath.Join(p.State, "local.key"))
	if err != nil {
		return nil, err
	}
	o.key = key
	if o.first, err = o.OpenRPC(ctx); err != nil {
		return nil, err
	}
	return remote.NewClient(o, remote.Options{}), nil
}

// nearest opens streams to whichever node of this user answers, the one with a
// queue first.
type nearest struct {
	paths config.Paths
	dir   string // of the only node that will do; empty is any
	key   local.Key
	first wire.Stream // opened by Dial; used once
}

var _ remote.Opener = (*nearest)(nil)

func (o *nearest) sockets() []local.Address {
	if o.dir == "" {
		return sockets(o.paths)
	}
	path := socketIn(o.dir)
	if path == "" {
		return nil
	}
	return []local.Address{{Path: path}}
}

// OpenRPC is not called again before the first call has returned.
func (o *nearest) OpenRPC(ctx context.Context) (wire.Stream, error) {
	if s := o.first; s != nil {
		o.first = nil
		return s, nil
	}
	last := errNoDispatcher()
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
	found := sockets(p)
	if len(found) == 0 {
		return nil, nil
	}
	key, err := local.ReadKey(filepath.Join(p.State, "local.key"))
	if err != nil {
		return nil, err
	}
	var names []string
	for _, a := range found {
		c := remote.NewClient(local.Opener{Address: a.Path, Key: key}, remote.Options{Patience: -1})
		ask, cancel := context.WithTimeout(ctx, askTime)
		id, err := c.Identity(ask)
		cancel()
		_ = c.Close()
		if err == nil {
			names = append(names, id.Name)
		}
	}
	return names, nil
}
