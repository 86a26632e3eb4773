package node

import (
	"context"
	"time"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet/wire"
)

// Blobs that nothing refers to are removed once they are older than blobGrace:
// a submit that refers to a new one may still be on its way.
const (
	blobSweep = 10 * time.Minute
	blobGrace = time.Hour
)

// fetchBlob gives the path of a blob, fetched from the dispatcher if it is not
// here.
func (n *Node) fetchBlob(ctx context.Context, ref string) (string, error) {
	if path, err := n.blobs.Path(ref); err == nil || n.leads() != nil {
		return path, err
	}
	s := n.up.session()
	if s == nil {
		return "", control.NoDispatcher()
	}
	return n.blobs.Fetch(ctx, ref, func(ctx context.Context) (wire.Stream, error) { return s.Open(ctx, wire.StreamBlob) })
}

// sweepBlobs removes blobs that no task needs, until ctx ends.
func (n *Node) sweepBlobs(ctx context.Context) {
	t := time.NewTicker(blobSweep)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		if n.blobs.Used() == 0 {
			continue
		}
		refs, err := n.blobRefs(ctx)
		if err == nil {
			_, err = n.blobs.Collect(refs, blobGrace)
		}
		if err != nil && ctx.Err() == nil {
			n.log.Warn("removing files that no task needs", "error", err)
		}
	}
}

// blobRefs is the set of blobs that unfinished tasks of this node's queue refer
// to; without a queue it is empty, for a worker can fetch what it needs again.
func (n *Node) blobRefs(ctx context.Context) (map[string]bool, error) {
	refs := make(map[string]bool)
	l := n.leads()
	if l == nil {
		return refs, nil
	}
	f := task.Query{States: []task.State{task.Queued, task.Assigned, task.Running, task.Retry}, Limit: 1000, Oldest: true}
	for {
		p, err := l.queue.List(ctx, f)
		if err != nil {
			return nil, err
		}
		for i := range p.Tasks {
			if r := p.Tasks[i].Spec.StdinRef; r != "" {
				refs[r] = true
			}
		}
		if !p.More || p.Next == 0 {
			return refs, nil
		}
		f.After = p.Next
	}
}
