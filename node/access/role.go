// Package access decides who may do what through REST: what a role reaches, and
// whether a token is one of ours. It opens no file and no socket, and asks no
// clock: whoever calls says what time it is.
package access

import (
	"slices"

	"github.com/adauldev/octaskly/queue/task"
)

// Right is one kind of thing that can be done through REST. The words stand in
// tokens and in answers and never change.
type Right string

// The rights.
const (
	CreateTasks  Right = "tasks:create"
	ReadTasks    Right = "tasks:read"
	CancelTasks  Right = "tasks:cancel"
	ReadNodes    Right = "nodes:read" // nodes, the cluster's state, its events
	ManageNodes  Right = "nodes:manage"
	ManageTokens Right = "tokens:manage"
)

// Reach is on whose tasks a right may be used.
type Reach uint8

// The reaches. A right that is not about tasks has All or Nothing.
const (
	Nothing Reach = iota
	Own           // on tasks that the same principal submitted
	All
)

// matrix says what each role reaches. What does not stand here is denied.
var matrix = map[task.Role]map[Right]Reach{
	task.RoleAdmin: {
		CreateTasks: All, ReadTasks: All, CancelTasks: All, ReadNodes: All, ManageNodes: All, ManageTokens: All,
	},
	task.RoleDispatcher: {CreateTasks: All, ReadTasks: All, CancelTasks: All, ReadNodes: All},
	task.RoleClient:     {CreateTasks: Own, ReadTasks: Own, CancelTasks: Own},
	task.RoleWorker:     {}, // registers with the dispatcher, which is no call of REST
}

// Roles lists the roles that a token may have, most powerful first.
func Roles() []task.Role {
	return []task.Role{task.RoleAdmin, task.RoleDispatcher, task.RoleClient, task.RoleWorker}
}

// ReachOf is how far a role may use a right.
func ReachOf(role task.Role, right Right) Reach { return matrix[role][right] }

// RightsOf lists what a role may do at all, sorted; the original calls them permissions.
func RightsOf(role task.Role) []Right {
	var rights []Right
	for right, reach := range matrix[role] {
		if reach != Nothing {
			rights = append(rights, right)
		}
	}
	slices.Sort(rights)
	return rights
}
