package control

import (
	"strings"

	"github.com/adauldev/octaskly/queue/task"
)

// A principal is on whose behalf something is done, in one form wherever the
// request came in: user:UID@NODEID, token:NAME or node:NODEID. Two principals are
// the same person when they are equal.
const (
	userPrefix = "user:"
	nodePrefix = "node:"
)

// maxUser is the longest name of a user that a node may give, in bytes: a number,
// or the SID of Windows.
const maxUser = 100

// UserOf names a user of the node that asks, as it stands in a request; who
// receives it adds the node.
func UserOf(uid string) string { return userPrefix + uid }

// NodePrincipal is a node that asks for itself.
func NodePrincipal(id task.NodeID) task.Principal { return task.Principal(nodePrefix + id) }

// PrincipalOf is on whose behalf the node asks that has proved to be this one:
// for itself when it names no user, else for a user of its own. It cannot speak
// for anybody else's.
func PrincipalOf(user string, node task.NodeID) (task.Principal, error) {
	if user == "" {
		return NodePrincipal(node), nil
	}
	uid, ok := strings.CutPrefix(user, userPrefix)
	if !ok || uid == "" || len(uid) > maxUser || strings.ContainsFunc(uid, notInUID) {
		return "", task.Errorf(task.KindUsage, "%q is not a user of a node", user)
	}
	return task.Principal(user + "@" + string(node)), nil
}

func notInUID(r rune) bool {
	return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && r != '-'
}

// UserAt is the user that a principal is on this node, as a request names it;
// empty if it is none.
func UserAt(who task.Principal, node task.NodeID) string {
	user, at, ok := strings.Cut(string(who), "@")
	if !ok || at != string(node) || !strings.HasPrefix(user, userPrefix) {
		return ""
	}
	return user
}
