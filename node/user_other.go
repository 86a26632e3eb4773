//go:build !unix

package node

// userID has no meaning where users have no numbers; the local socket admits
// only its owner.
func userID() int { return 0 }
