package node

import (
	"slices"

	"github.com/adauldev/octaskly/node/remote"
	"github.com/adauldev/octaskly/queue/task"
)

// needs is the role that each call needs. A call that is not named here is
// allowed to nobody.
var needs = map[remote.Method]task.Role{
	remote.Submit: task.RoleClient, remote.Get: task.RoleClient, remote.List: task.RoleClient,
	remote.Cancel: task.RoleClient, remote.Why: task.RoleClient, remote.Follow: task.RoleClient,
	remote.PutBlob: task.RoleClient, remote.Nodes: task.RoleClient, remote.Status: task.RoleClient,
	remote.Events: task.RoleClient, remote.Identity: task.RoleClient,
	remote.Drain: task.RoleAdmin, remote.Undrain: task.RoleAdmin, remote.Remove: task.RoleAdmin,
	remote.Admit: task.RoleAdmin, remote.Invite: task.RoleAdmin,
	remote.Promote: task.RoleAdmin, remote.Stop: task.RoleAdmin,
	remote.Offers: task.RoleAdmin, remote.Decide: task.RoleAdmin,
}

// mayCall judges calls by the roles in the caller's certificate.
func mayCall(roles []task.Role) func(remote.Method) error {
	return func(m remote.Method) error {
		need, known := needs[m]
		if known && slices.Contains(roles, need) {
			return nil
		}
		return task.Errorf(task.KindNotAllowed, "%s needs the role %s, which this node's certificate does not have", m, need).
			WithHint("ask whoever runs the dispatcher for an invite with that role")
	}
}

// everything is for the person to whom this node belongs.
func everything(remote.Method) error { return nil }
