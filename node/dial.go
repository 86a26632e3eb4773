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

// Dial gives a Control of the cluster that this user's node on this machine
// belongs to. The connection is made anew when it breaks; the Closer ends it.
// The error is of KindNoDispatcher when no node runs here.
func Dial(ctx context.Context, p config.Paths) (control.Control, io.Closer, error) {
	key, err := local.ReadKey(filepath.Join(p.State, "local.key"))
	if err != nil {
		if len(sockets(p)) == 0 {
			return nil, nil, errNoDispatcher()
		}
		return nil, nil, err
	}
	o := &nearest{paths: p, key: key}
	s, err := o.OpenRPC(ctx)
	if err != nil {
		return nil, nil, err
	}
	o.first = s
	c := remote.NewClient(o, remote.Options{})
	return c, c, nil
}

// nearest opens streams to whichever node of this user answers, the one with a
// queue first.
type nearest struct {
	paths config.Paths
	key   local.Key
	first wire.Stream // opened by Dial; used once
}

var _ remote.Opener = (*nearest)(nil)

// OpenRPC implements remote.Opener. Calls do not overlap before the first has
// returned.
func (o *nearest) OpenRPC(ctx context.Context) (wire.Stream, error) {
	if s := o.first; s != nil {
		o.first = nil
		return s, nil
	}
	last := errNoDispatcher()
	for _, a := range sockets(o.paths) {
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
