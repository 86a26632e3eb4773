package node

import (
	"context"
	"io"
	"path/filepath"
	"slices"
	"strconv"

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
		if len(local.Find(p.Runtime, p.Nodes)) == 0 {
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
	found := local.Find(o.paths.Runtime, o.paths.Nodes)
	slices.SortStableFunc(found, func(a, b local.Address) int { return o.rank(a) - o.rank(b) })
	last := errNoDispatcher()
	for _, a := range found {
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

func (o *nearest) rank(a local.Address) int {
	if holdsQueue(filepath.Join(o.paths.Nodes, strconv.Itoa(a.N))) {
		return 0
	}
	return 1
}

// Running names the nodes of this user that answer on this machine.
func Running(ctx context.Context, p config.Paths) ([]string, error) {
	found := local.Find(p.Runtime, p.Nodes)
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
