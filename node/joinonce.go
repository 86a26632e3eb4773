package node

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/node/peers"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet/trust"
)

// Join makes a node of this user a member of a cluster, with the code in the
// options, and ends. A node that is started later uses the membership.
func Join(ctx context.Context, opt Options) (control.Identity, error) {
	code, err := trust.ParseCode(opt.Join)
	if err != nil {
		return control.Identity{}, err
	}
	opt.Role = task.RoleWorker
	n, err := New(opt)
	if err != nil {
		return control.Identity{}, err
	}
	defer n.close()
	if m := n.membership.Load(); m != nil && !m.Ended(time.Now()) {
		return control.Identity{}, task.Errorf(task.KindConflict, "this node is a member of the cluster %s already", control.ShortCluster(m.ClusterID())).
			WithHint("start it: octaskly worker\nor join as another node: octaskly join --node-dir DIR CODE")
	}
	run, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { _ = n.ep.Run(run) })
	defer wg.Wait()
	defer cancel()
	if n.cfg.Dispatcher == "" {
		n.looks = true
		wg.Go(func() { n.peers.Run(run) })
	}
	if err := n.joinAnybody(ctx, code); err != nil {
		return control.Identity{}, err
	}
	return n.identity(), nil
}

// How long a join without an address looks for dispatchers, and for further ones
// after the code was not good at one.
const (
	joinLook  = 6 * time.Second
	joinOther = 1500 * time.Millisecond
)

// joinAnybody uses a code where it is good: at the address that was given, or at
// whichever dispatcher is seen.
func (n *Node) joinAnybody(ctx context.Context, code trust.Code) error {
	end := time.NewTimer(joinLook)
	defer end.Stop()
	var tried []peers.Place
	var last error
	for {
		places, _ := n.peers.Places(ctx)
		places = slices.DeleteFunc(places, func(p peers.Place) bool {
			return slices.ContainsFunc(tried, func(t peers.Place) bool { return t.Addr == p.Addr })
		})
		tried = append(tried, places...)
		if len(places) > 0 {
			err := n.joinWith(ctx, code, places)
			if err == nil || n.cfg.Dispatcher != "" {
				return err
			}
			last = err
			end.Reset(joinOther)
			continue
		}
		select {
		case <-n.changed:
			continue
		case <-end.C:
		case <-ctx.Done():
		}
		if last == nil {
			last = n.nobodyToJoin()
		}
		return last
	}
}

// nobodyToJoin says where a dispatcher was looked for in vain.
func (n *Node) nobodyToJoin() error {
	return task.Errorf(task.KindNoDispatcher, "no dispatcher answered within %s\n  tried: %s", joinLook, strings.Join(n.peers.Tried(), "\n         "))
}
