package nodetest

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
)

// TestRemovedWhileAway: a worker that ended in good order and is removed then is
// in no list any more (F16).
func TestRemovedWhileAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := NewCluster(t, ClusterOptions{Seed: 16})
		ctl := c.Dispatcher().Control()
		invite, err := ctl.Invite(t.Context(), control.InviteRequest{})
		c.must(err)
		left := c.Newcomer("left", invite.Code)
		state := func() control.NodeState {
			nodes, err := ctl.Nodes(t.Context())
			c.must(err)
			i := slices.IndexFunc(nodes, func(n control.Node) bool { return n.ID == left.ID })
			if i < 0 {
				return "not listed"
			}
			return nodes[i].State
		}
		time.Sleep(10 * time.Second)
		if s := state(); s != control.NodeUp {
			t.Fatalf("the newcomer is %s", s)
		}
		left.Stop(false)
		if s := state(); s != control.NodeAway {
			t.Fatalf("after it left it is %s", s)
		}
		_, err = ctl.Remove(t.Context(), "left")
		c.must(err)
		if s := state(); s != "not listed" {
			t.Errorf("after its removal it is %s", s)
		}
		if _, err := ctl.Remove(t.Context(), "left"); task.KindOf(err) != task.KindNotFound {
			t.Errorf("removed again: %v", err)
		}
		c.Stop()
	})
}
