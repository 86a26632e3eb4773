package node

import (
	"context"
	"sync"

	"github.com/adauldev/octaskly/node/control"
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
	if m := n.membership.Load(); m != nil {
		return control.Identity{}, task.Errorf(task.KindConflict, "this node is a member of the cluster %s already", short(m.ClusterID())).
			WithHint("start it: octaskly worker\nor join as another node: octaskly join --node-dir DIR CODE")
	}
	run, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { _ = n.ep.Run(run) })
	defer wg.Wait()
	defer cancel()
	places, _ := n.places(ctx)
	var addrs []string
	for _, p := range places {
		addrs = append(addrs, p.addr)
	}
	if err := n.joinWith(ctx, code, addrs); err != nil {
		return control.Identity{}, err
	}
	return n.identity(), nil
}
