package cli

import (
	"context"
	"strings"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/queue/task/text"
)

// findNode finds a node by its name or the beginning of its id; members come
// before strangers of the same name.
func (c *connection) findNode(ctx context.Context, name string) (*control.Node, error) {
	nodes, err := c.Nodes(ctx)
	if err != nil {
		return nil, err
	}
	if n := pickNode(nodes, name); n != nil {
		return n, nil
	}
	names := make([]string, len(nodes))
	for i := range nodes {
		names[i] = nodes[i].Name
	}
	e := task.Errorf(task.KindNotFound, "there is no node %q", name)
	if near := text.Nearest(name, names); near != "" {
		return nil, e.WithHint("did you mean %s?", near)
	}
	return nil, e.WithHint("octaskly nodes lists them")
}

// pickNode is the node of that name or beginning of an id, or nil.
func pickNode(nodes []control.Node, name string) *control.Node {
	var stranger *control.Node
	for i := range nodes {
		n := &nodes[i]
		if n.Name != name && (len(name) < 8 || !strings.HasPrefix(string(n.ID), name)) {
			continue
		}
		if n.State != control.NodeForeign && n.State != control.NodeAsks {
			return n
		}
		if stranger == nil {
			stranger = n
		}
	}
	return stranger
}
